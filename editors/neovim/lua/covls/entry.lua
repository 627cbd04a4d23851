--- What stands ready before anything else of covls is loaded.
local M = {}

--- The maps `<Plug>(covls-…)`, and the command that each gives.
local MAPS = {
  next = 'next',
  prev = 'prev',
  toggle = 'toggle',
  summary = 'summary',
  priorities = 'priorities',
  ['run-file'] = 'run file',
  ['run-cursor'] = 'run cursor',
  ['run-affected'] = 'run affected',
  ['run-all'] = 'run all',
  cancel = 'cancel',
  report = 'report',
  explain = 'explain',
  tests = 'tests',
  quickfix = 'quickfix',
}

function M.set_up()
  local function run(given) require('covls.command').run(given) end
  vim.api.nvim_create_user_command('Covls', run, {
    nargs = '*',
    range = true,
    desc = 'Test coverage: :Covls <Tab> says what there is',
    complete = function(...) return require('covls.command').complete(...) end,
  })
  for name, command in pairs(MAPS) do
    -- With a colon and a count taken away, so that visual mode hands over its range.
    vim.keymap.set('n', ('<Plug>(covls-%s)'):format(name), ('<Cmd>Covls %s<CR>'):format(command))
    vim.keymap.set('x', ('<Plug>(covls-%s)'):format(name), (':Covls %s<CR>'):format(command))
  end
  vim.api.nvim_create_autocmd('FileType', {
    group = vim.api.nvim_create_augroup('covls.entry', {}),
    pattern = 'python',
    once = true,
    desc = 'Start covls with the first Python file',
    callback = function()
      if require('covls.config').get().enable then require('covls.server').start() end
    end,
  })
end

return M
