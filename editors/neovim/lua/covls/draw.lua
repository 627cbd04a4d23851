--- Marks on the lines of buffers, as extmarks, which the buffer moves until there are newer ones.
local marks = require('covls.marks')

local M = {}

local namespace = vim.api.nvim_create_namespace('covls.marks')

--- What each extmark of a buffer says.
local kinds = {} ---@type table<integer, table<integer, covls.Kind>>

local GROUPS = {
  covered = 'CovlsCovered',
  missing = 'CovlsMissing',
  partial = 'CovlsPartial',
  edited = 'CovlsEdited',
  unverified_covered = 'CovlsUnverifiedCovered',
  unverified_missing = 'CovlsUnverifiedMissing',
  unverified_partial = 'CovlsUnverifiedPartial',
}

--- The background of a line; the others have none.
local LINES = { missing = 'CovlsMissingLine', partial = 'CovlsPartialLine' }

---@param kind covls.Kind
---@param look covls.config.Marks
---@return vim.api.keyset.set_extmark
local function options(kind, look)
  -- Deleted with its line, and back with it when that is undone.
  local found = { invalidate = true, strict = false, priority = look.priority }
  if look.enable then
    if look.signs then
      found.sign_text = look.text[vim.startswith(kind, 'unverified') and 'unverified' or kind]
      found.sign_hl_group = GROUPS[kind]
    end
    if look.numbers then found.number_hl_group = GROUPS[kind] end
    if look.lines then found.line_hl_group = LINES[kind:gsub('^unverified_', '')] end
  end
  return found
end

--- The marks of a buffer where they are now, and the ids of those whose lines are deleted, which
--- come back when that is undone.
---@param buffer integer
---@return covls.Placed[]
---@return integer[]
function M.shown(buffer)
  if buffer == 0 then buffer = vim.api.nvim_get_current_buf() end
  local found, hidden, known = {}, {}, kinds[buffer] or {}
  if not vim.api.nvim_buf_is_loaded(buffer) then return found, hidden end
  local all = vim.api.nvim_buf_get_extmarks(buffer, namespace, 0, -1, { details = true })
  for _, mark in ipairs(all) do
    local id, line, details = mark[1], mark[2], mark[4]
    if details.invalid then
      hidden[#hidden + 1] = id
    elseif known[id] then
      found[#found + 1] = { id = id, line = line, kind = known[id] }
    end
  end
  return found, hidden
end

--- Has a buffer show these marks, and touches none that is right.
---@param buffer integer
---@param wanted table<integer, covls.Kind>
---@param look covls.config.Marks
function M.show(buffer, wanted, look)
  local shown, hidden = M.shown(buffer)
  local gone, new = marks.changes(shown, wanted)
  local count = vim.api.nvim_buf_line_count(buffer)
  -- A formatter on every save leaves a whole file's worth of them each time.
  if #hidden > 2 * count then vim.list_extend(gone, hidden) end
  if #gone == 0 and #new == 0 then return end
  local known = kinds[buffer] or {}
  kinds[buffer] = known
  for _, id in ipairs(gone) do
    vim.api.nvim_buf_del_extmark(buffer, namespace, id)
    known[id] = nil
  end
  local looks = {}
  for _, mark in ipairs(new) do
    if mark.line < count then
      looks[mark.kind] = looks[mark.kind] or options(mark.kind, look)
      local id = vim.api.nvim_buf_set_extmark(buffer, namespace, mark.line, 0, looks[mark.kind])
      known[id] = mark.kind
    end
  end
end

--- Takes all marks of a buffer away.
---@param buffer integer
function M.clear(buffer)
  kinds[buffer] = nil
  if vim.api.nvim_buf_is_loaded(buffer) then
    vim.api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
  end
end

return M
