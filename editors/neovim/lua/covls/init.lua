--- covls in Neovim, for init.lua and statuslines. All else is behind `:Covls`.
local M = {}

--- Takes options over the defaults; see |covls-options|. Not needed where the defaults do.
---@param options? table
function M.setup(options) require('covls.config').set(options or {}) end

--- What a statusline shows of a buffer: `72 %` of the file, the patch's figure, a run's progress.
--- Empty where covls does not know the buffer. A `%` is doubled, as a statusline wants it.
---@param buffer? integer the current one if left out
---@return string
function M.statusline(buffer) return (require('covls.status').text(buffer):gsub('%%', '%%%%')) end

--- What is known of a buffer's file and of its root, for those who write their own component.
---@param buffer? integer the current one if left out
---@return { file: covls.FileCoverageResult?, root: covls.StatusParams? }
function M.status(buffer) return require('covls.status').of(buffer) end

return M
