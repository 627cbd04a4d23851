--- The window with what to test next.
local M = {}

local KINDS = { 'function', 'file', 'block' }

function M.open()
  local limit = require('covls.config').get().priorities.limit
  local asked = { by = KINDS[1], patch = false, limit = limit }

  local function load(window)
    window:draw({ lines = { ' Looking …' }, highlights = {}, items = {} })
    require('covls.server').ask('covls/priorities', asked, function(found)
      if found then window:draw(require('covls.priorities_rows').drawn(found)) end
    end)
  end

  if not require('covls.server').client() then
    require('covls.server').ask('covls/priorities', asked, function() end)
    return
  end
  load(require('covls.window').open('What to test next', {
    {
      key = '<CR>',
      about = 'open',
      act = function(window)
        local row = window:item()
        if row then window:go(row.uri, row.lines[1] and row.lines[1][1] or row.startLine) end
      end,
    },
    {
      key = 't',
      about = 'test',
      act = function(window)
        local row = window:item()
        local action = row and row.action
        if not action then return end
        if action.location then
          window:go(action.location.uri, action.location.range.start.line)
        elseif action.uri and action.exists then
          window:go(action.uri, 0)
        else
          vim.notify('covls: ' .. action.words)
        end
      end,
    },
    {
      key = 'b',
      about = 'what is ranked',
      act = function(window)
        asked.by = KINDS[(vim.fn.index(KINDS, asked.by) + 1) % #KINDS + 1]
        load(window)
      end,
    },
    {
      key = 'p',
      about = 'changes only',
      act = function(window)
        asked.patch = not asked.patch
        load(window)
      end,
    },
  }, true))
end

return M
