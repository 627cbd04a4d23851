--- What is missing, as entries of the quickfix list or a location list.
local M = {}

--- Milliseconds between two words on how far it is.
local SAID_EVERY = 1000

--- The entries of a file: blocks that no test runs, and branches that none takes.
---@param coverage covls.FileCoverageResult
---@return vim.quickfix.entry[]
function M.entries(coverage)
  local path = vim.uri_to_fname(coverage.uri)
  local found, words, lost = {}, {}, {}
  for _, branch in ipairs(coverage.branches) do
    local said = words[branch.line]
    words[branch.line] = said and ('%s; %s'):format(said, branch.words) or branch.words
  end
  for _, each in ipairs(coverage.lost) do
    local by = #each.tests > 0 and (' by %s'):format(table.concat(each.tests, ', ')) or ''
    lost[each.startLine] = (' It was covered%s until lately.'):format(by)
  end
  local marks = require('covls.marks')
  for _, mark in ipairs(coverage.marks) do
    local first, last, kind = mark[1], mark[2], marks.kind(mark[3], mark[4])
    if kind and marks.is_gap(kind) then
      local text = kind:match('missing$') and 'No test runs this.'
        or words[first]
        or 'A branch is never taken.'
      if vim.startswith(kind, 'unverified') then text = text .. ' (not verified)' end
      found[#found + 1] = {
        filename = path,
        lnum = first + 1,
        end_lnum = last + 1,
        col = 1,
        type = kind:match('missing$') and 'W' or 'I',
        text = text .. (lost[first] or ''),
      }
    end
  end
  return found
end

---@param entries vim.quickfix.entry[]
---@param location boolean
---@param title string
local function show(entries, location, title)
  local list = { title = title, items = entries }
  if location then
    vim.fn.setloclist(0, {}, ' ', list)
  else
    vim.fn.setqflist({}, ' ', list)
  end
  if #entries == 0 then
    vim.notify('covls: nothing is missing there.')
  else
    vim.cmd(location and 'lopen' or 'copen')
  end
end

--- The gaps of the current file.
---@param location boolean in the window's location list
function M.file(location)
  local buffer = vim.api.nvim_get_current_buf()
  local params = { textDocument = vim.lsp.util.make_text_document_params(buffer) }
  require('covls.server').ask('covls/fileCoverage', params, function(coverage)
    if not coverage then
      vim.notify('covls: there is no coverage of this file.', vim.log.levels.WARN)
      return
    end
    show(M.entries(coverage), location, 'covls: ' .. vim.fn.bufname(buffer))
  end, buffer)
end

--- Those of all files, the ones with most to win first.
---@param location boolean
function M.all(location)
  local server = require('covls.server')
  server.ask('covls/projectCoverage', vim.empty_dict(), function(project)
    if not project then return end
    local rows = require('covls.summary_rows')
    local files = vim
      .iter(rows.sorted(project.files, { by = 'missing', reversed = false }))
      :filter(function(file) return file.summary.missing + file.summary.missingBranches > 0 end)
      :totable()
    local entries, said = {}, vim.uv.now()
    local function ask(index)
      local file = files[index]
      if not file then
        show(entries, location, 'covls: all files')
        return
      end
      if vim.uv.now() - said > SAID_EVERY then
        said = vim.uv.now()
        vim.api.nvim_echo({ { ('covls: %d of %d files'):format(index, #files) } }, false, {})
      end
      server.ask('covls/fileCoverage', { textDocument = { uri = file.uri } }, function(coverage)
        if coverage then vim.list_extend(entries, M.entries(coverage)) end
        ask(index + 1)
      end)
    end
    ask(1)
  end)
end

return M
