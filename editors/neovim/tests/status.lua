-- The words of a statusline.
local words = require('covls.status').words

local function root(fields)
  return vim.tbl_extend('force', { folder = 'file:///p', state = 'ok', stale = false }, fields)
end
local file = { freshness = 'fresh', summary = { percentText = '72' } }
local edited = { freshness = 'edited', summary = { percentText = '72' } }

for _, case in ipairs({
  { nil, nil, '' },
  { root({}), nil, '' },
  { root({ percentText = '65' }), nil, '65 %' },
  { root({ percentText = '65' }), file, '72 %' },
  { root({ percentText = '65' }), edited, '72 % · edited' },
  { root({ percentText = '65', stale = true }), file, '72 % · stale' },
  { root({ percentText = '65', patchPercentText = '83' }), file, '72 % · patch 83 %' },
  { root({ state = 'noData' }), nil, 'no coverage' },
  { root({ state = 'error' }), nil, 'coverage: error' },
  {
    root({ state = 'running', run = { done = 0, total = 0, failed = 0 } }),
    file,
    '72 % · collecting tests',
  },
  {
    root({ state = 'running', run = { done = 12, total = 96, failed = 1 } }),
    file,
    '72 % · 12 of 96 tests · 1 failed',
  },
}) do
  local said = words(case[1], case[2])
  assert(said == case[3], ('%q is not %q'):format(said, case[3]))
end
