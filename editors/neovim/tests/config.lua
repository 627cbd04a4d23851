-- Options, right and wrong.
local config = require('covls.config')

local usual, wrong = config.resolve({})
assert(#wrong == 0, vim.inspect(wrong))
assert(usual.trusted == 'ask' and usual.marks.text.missing == '▌')

for _, case in ipairs({
  -- what was given, what is said, the option and what holds then
  { { enable = 'yes' }, 'enable: must be a boolean, not "yes"', 'enable', true },
  { { cmd = 'covls serve' }, 'cmd: must be a list, not "covls serve"', 'cmd', nil },
  { { cmd = {} }, 'cmd: must name a program', 'cmd', nil },
  { { cmd = { 1 } }, 'cmd: must be a list, not { 1 }', 'cmd', nil },
  { { trusted = 'always' }, 'trusted: must be one of ask, not "always"', 'trusted', 'ask' },
  { { trusted = { '~/code' } }, nil, 'trusted', nil },
  { { marks = 'none' }, 'marks: must be a table', 'marks', nil },
  { { marks = { sign = true } }, 'marks.sign: there is no such option', 'marks', nil },
  {
    { marks = { text = { missing = '|||' } } },
    'marks.text.missing: must be one or two cells wide, not "|||"',
    'marks',
    nil,
  },
  { { summary = { low = 101 } }, 'summary.low: must be between 0 and 100, not 101', 'summary' },
  { { priorities = { limit = 0 } }, 'priorities.limit: must be 1 or more, not 0', 'summary' },
  { { window = { width = '80' } }, 'window.width: must be a number, not "80"', 'window', nil },
  { { { 'enable' } }, '1: there is no such option', 'enable', true },
}) do
  local given, said, name, holds = case[1], case[2], case[3], case[4]
  local found, problems = config.resolve(given)
  assert(problems[1] == said and #problems <= 1, vim.inspect({ case, problems }))
  if holds ~= nil then assert(found[name] == holds, name) end
end

-- One wrong option leaves the others.
local found = config.resolve({ marks = { signs = 'yes', numbers = true } })
assert(found.marks.signs == true and found.marks.numbers == true)
