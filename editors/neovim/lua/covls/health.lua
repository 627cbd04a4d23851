--- `:checkhealth covls`
local M = {}

local health = vim.health

local function check_program()
  local cmd = require('covls.server').cmd()
  if vim.fn.executable(cmd[1]) == 0 then
    health.error(('There is no program %s.'):format(cmd[1]), {
      'Install covls where Neovim finds it: pipx install covls, or uv tool install covls.',
      "Or name the program in the option cmd, such as { '/path/to/covls', 'serve' }.",
    })
    return
  end
  local command = require('covls.doctor').without_serve(cmd)
  command[#command + 1] = '--version'
  local ok, done = pcall(function() return vim.system(command, { text = true }):wait(20000) end)
  if ok and done.code == 0 then
    health.ok(('%s (%s)'):format(vim.trim(done.stdout), vim.fn.exepath(cmd[1])))
  else
    local said = ok and vim.trim(done.stderr) or tostring(done)
    health.error(('%s does not run.'):format(table.concat(command, ' ')), vim.split(said, '\n'))
  end
end

local function check_options()
  local problems = require('covls.config').problems()
  for _, problem in ipairs(problems) do
    health.warn(problem, 'See :help covls-options. The default is used instead.')
  end
  if #problems == 0 then health.ok('The options are right.') end
end

local function check_looks()
  local look = require('covls.config').get().marks
  if not look.enable then
    health.info('Marks are off (marks.enable).')
  elseif not (look.signs or look.numbers or look.lines) then
    health.warn('Marks would show nowhere.', 'Turn on marks.signs, marks.numbers or marks.lines.')
  elseif look.signs and vim.go.signcolumn == 'no' then
    health.warn("'signcolumn' is no, so that signs do not show.", {
      "Set it to auto or yes, or turn on marks.numbers.",
    })
  elseif look.numbers and not (vim.go.number or vim.go.relativenumber) and not look.signs then
    health.warn("'number' is off, so that marks at numbers do not show.")
  else
    health.ok('Marks can be seen.')
  end
  if package.loaded['coverage'] then
    health.warn('nvim-coverage is loaded, too, and marks the same lines.', {
      'Its commands and options against these: :help covls-from-nvim-coverage.',
    })
  end
end

local WORDS = {
  ok = 'what is shown is true of the text on screen',
  stale = 'some of the text is not what was measured',
  running = 'tests run',
  noData = 'there is no data yet; :Covls run makes some',
}

local function check_clients()
  local server = require('covls.server')
  local clients = server.clients()
  if #clients == 0 then
    health.info('No server runs now. It starts with the first Python file.')
  end
  for _, client in ipairs(clients) do
    local buffers = vim.tbl_count(client.attached_buffers)
    local folder = client.root_dir or 'single files'
    local many = buffers == 1 and '1 buffer' or ('%d buffers'):format(buffers)
    health.ok(('The server runs for %s, with %s.'):format(folder, many))
    local trusted = require('covls.trust').of(client.root_dir)
    if trusted then
      health.ok(('%s is trusted: its tests may run.'):format(folder))
    elseif trusted == nil then
      local said = '%s: you are asked whether it is trusted when something is to run.'
      health.info(said:format(folder))
    else
      health.info(('%s is not trusted: none of its code runs (:help covls-trust).'):format(folder))
    end
  end
  for _, root in ipairs(require('covls.status').roots()) do
    local folder = vim.uri_to_fname(root.folder)
    if root.state == 'error' then
      health.error(('%s: %s'):format(folder, root.message), ':Covls doctor says more.')
    else
      local figure = root.percentText and (' %s %%;'):format(root.percentText) or ''
      local words = WORDS[root.state] or root.state
      health.info(('%s:%s %s. %s'):format(folder, figure, words, root.message))
    end
    if root.python then health.info(('Python: %s'):format(root.python)) end
    if root.tests then health.info(('Tests: %s'):format(root.tests)) end
  end
end

function M.check()
  health.start('covls')
  if vim.fn.has('nvim-0.11') == 0 then
    health.error('Neovim 0.11 or newer is needed.')
    return
  end
  health.ok('Neovim ' .. tostring(vim.version()))
  check_program()
  check_options()
  check_looks()
  health.start('covls: servers')
  check_clients()
end

return M
