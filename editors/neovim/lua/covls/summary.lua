--- The window with the files and their figures.
local M = {}

local ORDERS = { 'missing', 'percent', 'name' }

function M.open()
  local config = require('covls.config').get().summary
  local order = { by = config.sort, reversed = false }
  local filter, project = '', nil ---@type string, covls.ProjectCoverageResult?
  local current = vim.uri_from_bufnr(0)

  local function draw(window, wanted)
    if not project then return end
    local drawn = require('covls.summary_rows').drawn(project, order, filter, current, config)
    window:draw(drawn, function(file) return file.uri == wanted end)
  end

  local function under(window)
    local file = window:item()
    return file and file.uri
  end

  local function load(window)
    require('covls.server').ask('covls/projectCoverage', vim.empty_dict(), function(found)
      if not found then return end
      local wanted = project and under(window) or current
      project = found
      draw(window, wanted)
    end)
  end

  local function sort(by, reversed)
    return function(window)
      local wanted = under(window)
      order = { by = by or order.by, reversed = reversed }
      draw(window, wanted)
    end
  end

  if not require('covls.server').client() then
    require('covls.server').ask('covls/projectCoverage', {}, function() end)
    return
  end
  local window = require('covls.window').open('Coverage', {
    {
      key = '<CR>',
      about = 'open',
      act = function(window)
        local file = window:item()
        if file then window:go(file.uri, 0) end
      end,
    },
    {
      key = 's',
      about = 'sort',
      act = function(window)
        local at = vim.fn.index(ORDERS, order.by) + 1
        sort(ORDERS[at % #ORDERS + 1], false)(window)
      end,
    },
    {
      key = 'r',
      about = 'reverse',
      act = function(window) sort(nil, not order.reversed)(window) end,
    },
    {
      key = 'f',
      about = 'filter',
      act = function(window)
        vim.ui.input({ prompt = 'Files with: ', default = filter }, function(typed)
          if not typed then return end
          local wanted = under(window)
          filter = typed
          draw(window, wanted)
        end)
      end,
    },
    { key = 'R', about = 'count again', act = load },
  })
  window:draw({ lines = { ' Counting …' }, highlights = {}, items = {} })
  load(window)
  -- New figures, such as after a run, are shown while it is open.
  vim.api.nvim_create_autocmd('User', {
    pattern = 'CovlsStatus',
    group = vim.api.nvim_create_augroup('covls.summary', {}),
    callback = function(event)
      if not window:is_open() then return true end
      local root = event.data
      if project and root and not root.run and root.percent and #project.folders == 1 then
        if root.percent ~= project.summary.percent then load(window) end
      end
    end,
  })
end

return M
