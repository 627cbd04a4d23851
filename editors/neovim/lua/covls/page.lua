--- Text in a split of its own, to read.
local M = {}

--- Shows lines under a name, in the window that has it, if there is one.
---@param name string
---@param lines string[]
---@param options? { filetype?: string, at_end?: boolean }
---@return integer buffer
function M.open(name, lines, options)
  options = options or {}
  local buffer = vim.fn.bufnr('^' .. name .. '$')
  if buffer == -1 then
    buffer = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(buffer, name)
    vim.bo[buffer].bufhidden = 'wipe'
    vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = buffer, desc = 'Close' })
  end
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].filetype = options.filetype or 'text'
  local window = vim.fn.bufwinid(buffer)
  if window == -1 then
    window = vim.api.nvim_open_win(buffer, true, { split = 'below', win = 0 })
  else
    vim.api.nvim_set_current_win(window)
  end
  vim.api.nvim_win_set_cursor(window, { options.at_end and #lines or 1, 0 })
  return buffer
end

return M
