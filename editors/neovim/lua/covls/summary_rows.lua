--- The rows of the summary: files with their figures, sorted, chosen, and in columns.
local M = {}

---@class covls.SummaryOrder
---@field by 'missing'|'percent'|'name'
---@field reversed boolean

local HEADS = { 'cover', 'stmts', 'miss', 'branch', 'part' }

local FRESHNESS = { edited = 'edited since', unverified = 'not verified' }

local function missed(row) return row.summary.missing + row.summary.missingBranches end

local KEYS = {
  -- Most to win first; the others from the lowest.
  missing = function(row) return -missed(row) end,
  percent = function(row) return row.summary.percent end,
  name = function() return 0 end,
}

--- The files in an order; those alike by name.
---@param files covls.FileRow[]
---@param order covls.SummaryOrder
---@return covls.FileRow[]
function M.sorted(files, order)
  local key, found = KEYS[order.by], vim.list_slice(files)
  table.sort(found, function(one, other)
    local left, right = key(one), key(other)
    if left == right then
      left, right = one.name, other.name
      if left == right then return one.uri < other.uri end
    end
    if order.reversed then return left > right end
    return left < right
  end)
  return found
end

--- The files of which the name has these letters; capitals count where there are any.
---@param files covls.FileRow[]
---@param wanted string
---@return covls.FileRow[]
function M.filtered(files, wanted)
  local exact = wanted:lower() ~= wanted
  return vim
    .iter(files)
    :filter(function(file)
      local name = exact and file.name or file.name:lower()
      return name:find(wanted, 1, true) ~= nil
    end)
    :totable()
end

--- How good a figure is, by the options' thresholds.
---@param percent number
---@param low number
---@param high number
---@return 'Fail'|'Between'|'Pass'
function M.grade(percent, low, high)
  if percent >= high then return 'Pass' end
  return percent < low and 'Fail' or 'Between'
end

---@param summary covls.Summary
---@return string
local function columns(summary)
  return ('%5s %% %7d %6d %7d %5d'):format(
    summary.percentText,
    summary.statements,
    summary.missing,
    summary.branches,
    summary.partialBranches
  )
end

--- The name of a folder, by its URI.
local function name_of(folder) return vim.fs.basename((vim.uri_to_fname(folder):gsub('/$', ''))) end

--- What the summary's window shows.
---@param project covls.ProjectCoverageResult
---@param order covls.SummaryOrder
---@param filter string
---@param current string? the URI of the file on screen
---@param thresholds { low: number, high: number }
---@return covls.Drawn
function M.drawn(project, order, filter, current, thresholds)
  local several = #project.folders > 1
  local files = M.sorted(M.filtered(project.files, filter), order)
  local head = (' %7s %7s %6s %7s %5s   %s'):format(
    HEADS[1],
    HEADS[2],
    HEADS[3],
    HEADS[4],
    HEADS[5],
    ('file (by %s%s)'):format(order.by, order.reversed and ', reversed' or '')
  )
  local all = ('%d file%s'):format(#project.files, #project.files == 1 and '' or 's')
  -- Above the files, where it is on screen however many there are.
  local lines = { head, (' %s   TOTAL of %s'):format(columns(project.summary), all) }
  local highlights = { { 0, 0, -1, 'CovlsSummaryHeader' }, { 1, 0, -1, 'CovlsSummaryHeader' } }
  local items = {}
  for _, file in ipairs(files) do
    local name = several and ('%s/%s'):format(name_of(file.folder), file.name) or file.name
    local said = FRESHNESS[file.freshness]
    local figures = ' ' .. columns(file.summary)
    lines[#lines + 1] = ('%s   %s%s'):format(figures, name, said and ('  ' .. said) or '')
    local row = #lines - 1
    local group = 'CovlsSummary' .. M.grade(file.summary.percent, thresholds.low, thresholds.high)
    highlights[#highlights + 1] = { row, 0, 8, group }
    local from = #figures + 3
    if file.uri == current then
      highlights[#highlights + 1] = { row, from, from + #name, 'CovlsSummaryCurrent' }
    end
    if said then highlights[#highlights + 1] = { row, from + #name, -1, 'CovlsSummaryNote' } end
    items[#lines] = file
  end
  if filter ~= '' then
    local said = ' %d of %d files have "%s" in their names'
    lines[#lines + 1] = said:format(#files, #project.files, filter)
    highlights[#highlights + 1] = { #lines - 1, 0, -1, 'CovlsSummaryNote' }
  end
  for _, problem in ipairs(project.problems) do
    lines[#lines + 1] = ' ' .. problem:gsub('\n', ' ')
    highlights[#highlights + 1] = { #lines - 1, 0, -1, 'CovlsSummaryNote' }
  end
  return { lines = lines, highlights = highlights, items = items }
end

return M
