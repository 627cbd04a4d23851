--- `covls doctor` for the file on screen, in a split.
local M = {}

--- The command that is covls itself, of the one that starts the server: what is before `serve`.
---@param cmd string[]
---@return string[]
function M.without_serve(cmd)
  local before = {}
  for _, word in ipairs(cmd) do
    if word == 'serve' then break end
    before[#before + 1] = word
  end
  return before
end

function M.open()
  local server = require('covls.server')
  local client = server.client()
  local path = vim.api.nvim_buf_get_name(0)
  if path == '' or vim.bo.buftype ~= '' then path = vim.fn.getcwd() end
  local trusted = require('covls.trust').of(client and client.root_dir) == true
  local command = vim.list_extend(
    M.without_serve(server.cmd()),
    { 'doctor', trusted and '--trusted' or '--no-trusted', path }
  )
  if vim.fn.executable(command[1]) == 0 then
    vim.notify(('covls: there is no program %s.'):format(command[1]), vim.log.levels.ERROR)
    return
  end
  -- It may take a moment: Python starts, and the project is looked through.
  vim.system(command, { text = true, cwd = vim.fn.getcwd() }, function(done)
    vim.schedule(function()
      local text = vim.trim(done.stdout .. (done.stdout ~= '' and '\n' or '') .. done.stderr)
      require('covls.page').open('covls://doctor', vim.split(text, '\n', { plain = true }))
    end)
  end)
end

return M
