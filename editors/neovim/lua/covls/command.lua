--- `:Covls` and its subcommands.
local M = {}

---@class covls.Given
---@field arguments string[]
---@field first integer the lines it is about, from 1
---@field last integer
---@field steps integer the count, 1 if there is none

---@class covls.Subcommand
---@field about string
---@field arguments? string[] the words it takes, of which one may be given
---@field elsewhere? string[] the words with which it is not about the current file
---@field run fun(given: covls.Given)

local function server() return require('covls.server') end

local function uri() return vim.uri_from_bufnr(0) end

local function info(words) vim.notify('covls: ' .. words) end

--- Goes to the next block on which something is missing, or one before.
local function jump(steps)
  local marks = require('covls.marks')
  local blocks = marks.gaps((require('covls.draw').shown(0)))
  local block = marks.neighbour(blocks, vim.api.nvim_win_get_cursor(0)[1] - 1, steps)
  if not block then
    info('nothing is uncovered in this file.')
    return
  end
  vim.cmd("normal! m'")
  vim.api.nvim_win_set_cursor(0, { block.first + 1, 0 })
  vim.cmd('normal! ^zv')
end

local RUNS = {
  file = function() return 'runFile', { uri() } end,
  cursor = function(given) return 'runAtCursor', { uri(), given.first - 1, given.last - 1 } end,
  affected = function() return 'runAffected', {} end,
  all = function() return 'runAll', {} end,
}

---@type table<string, covls.Subcommand>
M.SUBCOMMANDS = {
  toggle = {
    about = 'Take all that covls shows off the screen, or put it back; `marks`: these alone.',
    arguments = { 'all', 'marks' },
    run = function(given)
      if given.arguments[1] == 'marks' then
        info(require('covls.coverage').toggle_marks() and 'marks are on.' or 'marks are off.')
        return
      end
      server().command('toggle', {}, function(answer) info(answer.enabled and 'on.' or 'off.') end)
    end,
  },
  summary = {
    about = 'The files and their figures, in a window.',
    run = function() require('covls.summary').open() end,
  },
  run = {
    about = 'Run tests: those that reach the file or the cursor, those that edits affect, or all.',
    arguments = { 'file', 'cursor', 'affected', 'all' },
    elsewhere = { 'affected', 'all' },
    run = function(given) server().run(RUNS[given.arguments[1] or 'file'](given)) end,
  },
  cancel = {
    about = 'End the run of tests that is under way.',
    run = function()
      server().command('cancelRun', {}, function(any)
        if not any then info('no run is under way.') end
      end)
    end,
  },
  report = {
    about = "coverage.py's HTML report at this line, in the browser.",
    run = function(given)
      local is_file = vim.bo.buftype == '' and vim.api.nvim_buf_get_name(0) ~= ''
      server().command('openReport', is_file and { uri(), given.first - 1 } or {})
    end,
  },
  priorities = {
    about = 'What to test next, and why, in a window.',
    run = function() require('covls.priorities').open() end,
  },
  next = {
    about = 'Go to the next uncovered block; with a count, so many on.',
    run = function(given) jump(given.steps) end,
  },
  prev = {
    about = 'Go to the uncovered block before.',
    run = function(given) jump(-given.steps) end,
  },
  quickfix = {
    about = 'What is missing in this file, or in all, in the quickfix list.',
    arguments = { 'file', 'all' },
    elsewhere = { 'all' },
    run = function(given) require('covls.quickfix')[given.arguments[1] or 'file'](false) end,
  },
  loclist = {
    about = "The same in the window's location list.",
    arguments = { 'file', 'all' },
    elsewhere = { 'all' },
    run = function(given) require('covls.quickfix')[given.arguments[1] or 'file'](true) end,
  },
  explain = {
    about = 'All that is known of this line.',
    elsewhere = {},
    run = function(given)
      server().command('explain', { uri(), given.first - 1 }, function(found)
        local lines = vim.split(found.markdown, '\n', { plain = true })
        vim.lsp.util.open_floating_preview(lines, 'markdown', { focus_id = 'covls.explain' })
      end)
    end,
  },
  tests = {
    about = 'The tests that reach this line, or the lines of a range, to choose one and go to it.',
    elsewhere = {},
    run = function(given) require('covls.tests').pick(given.first, given.last) end,
  },
  log = {
    about = 'What the server said.',
    run = function() require('covls.log').open() end,
  },
  doctor = {
    about = 'What covls sees of this file and its project, and what to do about each problem.',
    run = function() require('covls.doctor').open() end,
  },
  trust = {
    about = "Whether this project's code may run: `yes` or `no` is kept, `forget` asks again.",
    arguments = { 'yes', 'no', 'forget' },
    run = function(given) require('covls.trust').decide(given.arguments[1]) end,
  },
  start = {
    about = 'Start covls, where the option `enable` or `:Covls stop` keeps it from that.',
    run = function() server().start() end,
  },
  stop = {
    about = 'Stop covls until `:Covls start`.',
    run = function() server().stop() end,
  },
  restart = {
    about = 'Stop the server and start it again.',
    run = function() server().restart() end,
  },
}

---@return string[]
local function names()
  local found = vim.tbl_keys(M.SUBCOMMANDS)
  table.sort(found)
  return found
end

--- Runs `:Covls …`.
---@param given vim.api.keyset.create_user_command.command_args
function M.run(given)
  local name, arguments = given.fargs[1], vim.list_slice(given.fargs, 2)
  local subcommand = M.SUBCOMMANDS[name]
  local problem
  if not subcommand then
    problem = (name and ('there is no :Covls %s. '):format(name) or '') .. 'There are: '
    problem = problem .. table.concat(names(), ', ')
  elseif #arguments > 1 then
    problem = (':Covls %s takes one word, and got %d'):format(name, #arguments)
  elseif arguments[1] and not vim.tbl_contains(subcommand.arguments or {}, arguments[1]) then
    local known = subcommand.arguments and 'takes ' .. table.concat(subcommand.arguments, ', ')
      or 'takes nothing'
    problem = (':Covls %s %s, not %s'):format(name, known, arguments[1])
  elseif
    subcommand.elsewhere
    and not vim.tbl_contains(subcommand.elsewhere, arguments[1])
    and (vim.bo.buftype ~= '' or vim.api.nvim_buf_get_name(0) == '')
  then
    problem = (':Covls %s is about a file, and this is none'):format(given.args)
  end
  if problem then
    vim.notify('covls: ' .. problem, vim.log.levels.ERROR)
    return
  end
  local cursor = vim.api.nvim_win_get_cursor(0)[1]
  subcommand.run({
    arguments = arguments,
    first = given.range > 0 and given.line1 or cursor,
    last = given.range > 0 and given.line2 or cursor,
    steps = vim.v.count1,
  })
end

--- What may stand where the cursor is on the command line.
---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local words = vim.split(line:gsub('^.-Covls%s+', ''), '%s+')
  local candidates = names()
  if #words > 1 then
    local subcommand = #words == 2 and M.SUBCOMMANDS[words[1]]
    candidates = subcommand and subcommand.arguments or {}
  end
  return vim.iter(candidates):filter(function(each) return vim.startswith(each, lead) end):totable()
end

return M
