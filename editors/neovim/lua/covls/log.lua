--- What the server said for the log, the last of it.
local M = {}

local MOST = 2000
local LEVELS = { 'error', 'warning', 'info', 'log', 'debug' }

local lines = {} ---@type string[]

---@param text string
function M.add(text)
  for _, line in ipairs(vim.split(text, '\n', { plain = true })) do
    lines[#lines + 1] = line
  end
  if #lines > 2 * MOST then lines = vim.list_slice(lines, #lines - MOST + 1) end
end

--- Keeps a message of the server.
---@param params { type: integer, message: string }
function M.message(params)
  local level = LEVELS[params.type] or 'log'
  M.add(('%s %s: %s'):format(os.date('%H:%M:%S'), level, params.message))
end

--- Shows it.
function M.open()
  local shown = #lines > 0 and vim.list_slice(lines, math.max(1, #lines - MOST + 1))
    or { 'The server has said nothing yet.' }
  require('covls.page').open('covls://log', shown, { at_end = true })
  vim.notify("covls: what it wrote to stderr is in Neovim's log, " .. vim.lsp.get_log_path())
end

return M
