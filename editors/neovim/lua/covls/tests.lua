--- The tests that reach lines, to choose one and go to it.
local M = {}

--- Goes to the only test, or has the user choose.
---@param first integer from 1
---@param last integer
function M.pick(first, last)
  local params = {
    textDocument = vim.lsp.util.make_text_document_params(0),
    range = {
      start = { line = first - 1, character = 0 },
      ['end'] = { line = last - 1, character = 0 },
    },
  }
  local where = first == last and ('line %d'):format(first)
    or ('lines %d to %d'):format(first, last)
  require('covls.server').ask('covls/testsAt', params, function(tests)
    if not tests then
      vim.notify('covls: it is not recorded which tests run what here; `:Covls run` records it.')
    elseif #tests == 0 then
      vim.notify(('covls: no test reaches %s.'):format(where))
    else
      local prompt = ('%d test%s reach%s %s'):format(
        #tests,
        #tests == 1 and '' or 's',
        #tests == 1 and 'es' or '',
        where
      )
      local options = {
        prompt = prompt,
        kind = 'covls.test',
        format_item = function(test) return test.id end,
      }
      vim.ui.select(tests, options, function(test)
        if not test then return end
        if test.location then
          require('covls.window').go(test.location.uri, test.location.range.start.line)
        else
          vim.notify(('covls: where %s is written was not found.'):format(test.id))
        end
      end)
    end
  end)
end

return M
