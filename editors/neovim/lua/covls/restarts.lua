--- How often a server that ended by itself is started again, and after which pause.
local M = {}

local PAUSES_MS = { 500, 2000, 5000, 15000 }

--- A server that lived so long is as good as new.
local HEALTHY_MS = 5 * 60 * 1000

--- The pause before the next start, after so many failures and a life of so many ms; nil: no more.
---@param failed integer how often it ended by itself before
---@param lived_ms number
---@return integer? pause_ms
---@return integer failed from now on
function M.pause_after(failed, lived_ms)
  if lived_ms >= HEALTHY_MS then failed = 0 end
  return PAUSES_MS[failed + 1], failed + 1
end

return M
