--- Which lines are marked how: values alone, nothing of any window.
local M = {}

---@alias covls.Kind
---| 'covered'
---| 'missing'
---| 'partial'
---| 'edited'
---| 'unverified_covered'
---| 'unverified_missing'
---| 'unverified_partial'

--- A line and what it is; lines count from 0.
---@class covls.Placed
---@field id integer
---@field line integer
---@field kind covls.Kind

--- A block of lines, both ends included, counted from 0.
---@class covls.Block
---@field first integer
---@field last integer
---@field kind covls.Kind

local STATES = { covered = true, missing = true, partial = true }

--- The kind of a mark; nil where there is none: what is excluded needs no attention.
---@param state string
---@param freshness string
---@return covls.Kind?
function M.kind(state, freshness)
  if not STATES[state] then return nil end
  if freshness == 'edited' or freshness == 'new' then return 'edited' end
  if freshness == 'unverified' then return 'unverified_' .. state end
  return state
end

--- Whether something is missing there.
---@param kind covls.Kind
---@return boolean
function M.is_gap(kind) return kind:match('missing$') ~= nil or kind:match('partial$') ~= nil end

--- The kind of each marked line.
---@param coverage covls.FileCoverageResult?
---@param covered boolean whether covered lines are marked
---@return table<integer, covls.Kind>
function M.by_line(coverage, covered)
  local lines = {}
  for _, mark in ipairs(coverage and coverage.marks or {}) do
    local first, last, kind = mark[1], mark[2], M.kind(mark[3], mark[4])
    if kind and (covered or not kind:match('covered$')) then
      for line = first, last do
        lines[line] = kind
      end
    end
  end
  return lines
end

--- What leads from what is shown to what is wanted: ids to take away, lines to mark.
--- What is right already is in neither, so that nothing flickers.
---@param shown covls.Placed[]
---@param wanted table<integer, covls.Kind>
---@return integer[] gone
---@return { line: integer, kind: covls.Kind }[] new
function M.changes(shown, wanted)
  local gone, right, new = {}, {}, {}
  for _, mark in ipairs(shown) do
    if wanted[mark.line] == mark.kind and not right[mark.line] then
      right[mark.line] = true
    else
      gone[#gone + 1] = mark.id
    end
  end
  for line, kind in pairs(wanted) do
    if not right[line] then new[#new + 1] = { line = line, kind = kind } end
  end
  return gone, new
end

--- The blocks on which something is missing, in order.
---@param shown covls.Placed[]
---@return covls.Block[]
function M.gaps(shown)
  local lines, kinds = {}, {}
  for _, mark in ipairs(shown) do
    if M.is_gap(mark.kind) and not kinds[mark.line] then
      lines[#lines + 1] = mark.line
      kinds[mark.line] = mark.kind
    end
  end
  table.sort(lines)
  local blocks = {} ---@type covls.Block[]
  for _, line in ipairs(lines) do
    local block = blocks[#blocks]
    if block and block.last == line - 1 and block.kind == kinds[line] then
      block.last = line
    else
      blocks[#blocks + 1] = { first = line, last = line, kind = kinds[line] }
    end
  end
  return blocks
end

--- The block so many after a line, or before it where the number is negative. Round the end, and
--- round again; nil where there is none.
---@param blocks covls.Block[]
---@param line integer
---@param steps integer
---@return covls.Block?
function M.neighbour(blocks, line, steps)
  if #blocks == 0 then return nil end
  local at ---@type integer
  if steps > 0 then
    at = 0
    for index, block in ipairs(blocks) do
      if block.first <= line then at = index end
    end
  else
    at = #blocks + 1
    for index = #blocks, 1, -1 do
      if blocks[index].last >= line then at = index end
    end
  end
  return blocks[(at + steps - 1) % #blocks + 1]
end

return M
