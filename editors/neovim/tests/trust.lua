-- Which folders are trusted, by the option and by answers that are kept.
local config, trust = require('covls.config'), require('covls.trust')

local base = vim.fn.tempname()
local project, below = base .. '/project', base .. '/project/sub'
local elsewhere = base .. '/project-too'
vim.fn.mkdir(below, 'p')
vim.fn.mkdir(elsewhere, 'p')
local link = base .. '/link'
assert(vim.uv.fs_symlink(project, link))
local trap = project .. '/trap'
assert(vim.uv.fs_symlink(elsewhere, trap))

for _, case in ipairs({
  { true, project, true },
  { true, nil, true },
  { false, project, false },
  { { project }, project, true },
  { { project }, below, true },
  { { project .. '/' }, below, true },
  { { link }, project, true },
  { { project }, link, true },
  { { project }, elsewhere, false },
  -- A link below a trusted folder that leads out of it.
  { { project }, trap, false },
  { { below }, project, false },
  { {}, project, false },
  { { project }, nil, false },
  { 'ask', nil, false },
  { 'ask', project, nil },
}) do
  config.set({ trusted = case[1] })
  assert(trust.of(case[2]) == case[3], vim.inspect(case))
end

config.set({})
trust.keep(project, true)
assert(trust.of(project) == true and trust.of(link) == true)
assert(trust.of(below) == nil, 'another project')
trust.keep(elsewhere, false)
assert(trust.of(elsewhere) == false and trust.of(project) == true)
trust.keep(project, nil)
assert(trust.of(project) == nil and trust.of(elsewhere) == false)
trust.keep(elsewhere, nil)
assert(trust.of(elsewhere) == nil)

-- A file that somebody spoilt trusts nothing.
vim.fn.writefile({ '{"' .. vim.uv.fs_realpath(project) .. '": "yes"}' }, trust.file())
assert(trust.of(project) == nil)
vim.fn.writefile({ 'not JSON' }, trust.file())
assert(trust.of(project) == nil)

-- Asked once, and then no more.
local asked = 0
vim.ui.select = function(_, _, go)
  asked = asked + 1
  go('Yes', 1)
end
local gone = {}
trust.ensure(project, function(new) gone[#gone + 1] = new end)
trust.ensure(project, function(new) gone[#gone + 1] = new end)
assert(asked == 1 and vim.deep_equal(gone, { true, false }))
