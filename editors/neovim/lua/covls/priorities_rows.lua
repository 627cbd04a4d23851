--- The rows of what to test next: code that no test runs, why it comes first, and what to do.
local M = {}

---@param row covls.PriorityRow
---@param rank integer
local function head(row, rank)
  local where = row.title == row.file and row.file or ('%s  %s'):format(row.title, row.file)
  return (' %2d  %6.2f  %s'):format(rank, row.score, where)
end

--- What the window shows.
---@param found covls.PrioritiesResult
---@return covls.Drawn
function M.drawn(found)
  local lines, highlights, items = {}, {}, {}
  local function add(text, group, item)
    lines[#lines + 1] = (text:gsub('\n', ' '))
    items[#lines] = item
    if group then highlights[#highlights + 1] = { #lines - 1, 0, -1, group } end
  end
  for rank, row in ipairs(found.rows) do
    add(head(row, rank), nil, row)
    highlights[#highlights + 1] = { #lines - 1, 4, 12, 'CovlsPartial' }
    local title = 13
    highlights[#highlights + 1] = { #lines - 1, title, title + #row.title, 'CovlsSummaryCurrent' }
    add('             ' .. table.concat(row.reasons, ', '), 'CovlsSummaryNote', row)
    add('             ' .. row.action.words, nil, row)
    if row.advice then add('             ' .. row.advice, 'CovlsSummaryNote', row) end
    if row.stale then
      add('             The file may not be the one that was measured.', 'CovlsSummaryNote', row)
    end
  end
  if #found.rows == 0 then add(' Nothing: all that can be tested is.', nil, nil) end
  if found.total > #found.rows then
    add((' … and %d more'):format(found.total - #found.rows), 'CovlsSummaryNote', nil)
  end
  for _, note in ipairs(found.notes) do
    add(' ' .. note, 'CovlsSummaryNote', nil)
  end
  return { lines = lines, highlights = highlights, items = items }
end

return M
