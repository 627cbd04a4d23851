--- Whether the code of a folder may run: by the option, or by an answer that is kept.
local M = {}

--- The file with the answers: folders, each with true or false.
function M.file() return vim.fs.joinpath(vim.fn.stdpath('state'), 'covls', 'trust.json') end

--- A folder as it is told apart: no link stands for another.
local function real(folder)
  local normal = vim.fs.normalize(folder)
  return vim.uv.fs_realpath(normal) or normal
end

--- Whether a path is a folder, or below it.
local function is_below(path, folder)
  return path == folder or vim.startswith(path, folder:gsub('/$', '') .. '/')
end

---@return table<string, boolean>
local function answers()
  local file = io.open(M.file(), 'r')
  if not file then return {} end
  local text = file:read('*a')
  file:close()
  local ok, found = pcall(vim.json.decode, text)
  return ok and type(found) == 'table' and found or {}
end

--- Whether the code of a folder may run; nil where that is still to be asked. A folder that no
--- client names (nil) is trusted only where all are.
---@param folder string?
---@return boolean?
function M.of(folder)
  local option = require('covls.config').get().trusted
  if type(option) == 'boolean' then return option end
  if folder == nil then return false end
  local path = real(folder)
  if type(option) == 'table' then
    return vim.iter(option):any(function(each) return is_below(path, real(each)) end)
  end
  local answer = answers()[path]
  if type(answer) == 'boolean' then return answer end
  return nil
end

--- Keeps an answer for a folder; nil forgets it.
---@param folder string
---@param answer boolean?
function M.keep(folder, answer)
  local found = answers()
  found[real(folder)] = answer
  vim.fn.mkdir(vim.fs.dirname(M.file()), 'p', tonumber('700', 8))
  -- Written whole beside it: another Neovim may read it now.
  local part = ('%s.%d'):format(M.file(), vim.uv.os_getpid())
  local file = assert(io.open(part, 'w'))
  file:write(vim.tbl_isempty(found) and '{}' or vim.json.encode(found))
  file:close()
  assert(vim.uv.fs_rename(part, M.file()))
end

--- Goes on where the code of a folder may run, once the user was asked if need be.
---@param folder string? nil for files that are in no project
---@param go fun(new: boolean) with true where the answer was given just now
function M.ensure(folder, go)
  local trusted = M.of(folder)
  if trusted == nil then
    local words = ('covls: may the code of %s run?'):format(vim.fn.fnamemodify(folder, ':~'))
    local choices = { 'Yes, I trust it', 'No, never', 'Not now' }
    vim.ui.select(choices, { prompt = words, kind = 'covls.trust' }, function(_, index)
      if index == 1 or index == 2 then M.keep(folder, index == 1) end
      if index == 1 then go(true) end
    end)
  elseif trusted then
    go(false)
  else
    local way = require('covls.config').get().trusted == 'ask' and '`:Covls trust yes` trusts it.'
      or 'The option `trusted` says so.'
    local what = folder and vim.fn.fnamemodify(folder, ':~') or 'a file outside of any project'
    if not folder then way = 'The option `trusted`, if it is true, holds for such, too.' end
    local said = ('covls: %s is not trusted, so that nothing of it runs. %s'):format(what, way)
    vim.notify(said, vim.log.levels.WARN)
  end
end

--- `:Covls trust`: keeps an answer for the project of the current buffer, or says what it is.
---@param word 'yes'|'no'|'forget'|nil
function M.decide(word)
  local server = require('covls.server')
  local client = server.client()
  local folder = client and client.root_dir
  if not folder then
    vim.notify('covls: open a Python file of the project first.', vim.log.levels.WARN)
    return
  end
  local option = require('covls.config').get().trusted
  local shown = vim.fn.fnamemodify(folder, ':~')
  if option ~= 'ask' and word then
    vim.notify('covls: the option `trusted` decides, no answer is asked for.', vim.log.levels.WARN)
    return
  end
  if word then
    if word == 'forget' then
      M.keep(folder, nil)
    else
      M.keep(folder, word == 'yes')
    end
    server.tell_settings()
  end
  local trusted = M.of(folder)
  local says = trusted and 'is trusted' or trusted == false and 'is not trusted' or 'is not decided'
  vim.notify(('covls: %s %s.'):format(shown, says))
end

return M
