--- What the coverage of roots is worth, as a statusline says it.
local M = {}

local roots = {} ---@type table<string, covls.StatusParams>
local problem ---@type string?

--- The words for a root and a file; both may be unknown, and then there are none.
---@param root covls.StatusParams?
---@param file covls.FileCoverageResult?
---@return string
function M.words(root, file)
  local parts = {}
  local figure = file and file.summary.percentText or root and root.percentText
  if figure then
    parts[1] = figure .. ' %'
  elseif root and root.state == 'noData' then
    parts[1] = 'no coverage'
  elseif root and root.state == 'error' then
    parts[1] = 'coverage: error'
  end
  if file and file.freshness ~= 'fresh' then
    parts[#parts + 1] = file.freshness
  elseif root and root.stale and figure then
    parts[#parts + 1] = 'stale'
  end
  if root and root.patchPercentText then
    parts[#parts + 1] = ('patch %s %%'):format(root.patchPercentText)
  end
  local run = root and root.run
  if run then
    parts[#parts + 1] = run.total == 0 and 'collecting tests'
      or ('%d of %d tests'):format(run.done, run.total)
    if run.failed > 0 then parts[#parts + 1] = ('%d failed'):format(run.failed) end
  end
  return table.concat(parts, ' · ')
end

--- Whether a path is a folder's, or below it.
local function is_below(path, folder)
  return path == folder or vim.startswith(path, folder .. '/')
end

--- The root that a file belongs to: the longest path around it.
---@param path string
---@return covls.StatusParams?
local function root_of(path)
  local found, longest = nil, -1
  for uri, root in pairs(roots) do
    local folder = vim.uri_to_fname(uri)
    if #folder > longest and is_below(path, folder) then
      found, longest = root, #folder
    end
  end
  return found
end

local function announce(data)
  vim.api.nvim_exec_autocmds('User', { pattern = 'CovlsStatus', modeline = false, data = data })
  vim.cmd.redrawstatus({ bang = true })
end

--- The server says what a root's coverage is worth.
---@param status covls.StatusParams
function M.told(status)
  problem = nil
  roots[status.folder] = status
  announce(status)
end

--- A buffer's coverage is another.
---@param buffer integer
function M.changed(buffer) announce(M.of(buffer).root) end

--- There is no server now, and why.
---@param why string
function M.stopped(why)
  roots, problem = {}, why
  announce(nil)
end

---@param buffer? integer
---@return { file: covls.FileCoverageResult?, root: covls.StatusParams?, problem: string? }
function M.of(buffer)
  buffer = (buffer == nil or buffer == 0) and vim.api.nvim_get_current_buf() or buffer
  -- Looked up only where covls runs: a statusline asks at every redraw.
  if not package.loaded['covls.coverage'] then return {} end
  local path = vim.api.nvim_buf_get_name(buffer)
  return {
    file = require('covls.coverage').of(buffer),
    root = path ~= '' and vim.bo[buffer].filetype == 'python' and root_of(path) or nil,
    problem = problem,
  }
end

---@param buffer? integer
---@return string
function M.text(buffer)
  local found = M.of(buffer)
  if found.problem then return found.file and 'covls is not running' or '' end
  return M.words(found.root, found.file)
end

--- All roots there are.
---@return covls.StatusParams[]
function M.roots() return vim.tbl_values(roots) end

return M
