-- Pauses that grow, an end, and a fresh start after a long life.
local pause_after = require('covls.restarts').pause_after

local failed, pauses = 0, {}
for _ = 1, 4 do
  local pause
  pause, failed = pause_after(failed, 100)
  pauses[#pauses + 1] = pause
end
assert(vim.deep_equal(pauses, { 500, 2000, 5000, 15000 }))
assert(pause_after(failed, 100) == nil, 'not for ever')
assert(pause_after(failed, 10 * 60 * 1000) == 500, 'it was healthy')
