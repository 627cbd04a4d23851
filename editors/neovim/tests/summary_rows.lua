-- Files in an order, chosen by a name, graded.
local rows = require('covls.summary_rows')

local function file(name, percent, missing, branches)
  local summary = {
    percent = percent,
    percentText = tostring(percent),
    statements = 10,
    missing = missing,
    branches = 4,
    partialBranches = branches,
    missingBranches = branches,
  }
  return { name = name, uri = 'file:///p/' .. name, folder = 'file:///p', summary = summary }
end

local files = { file('b.py', 50, 5, 2), file('a.py', 100, 0, 0), file('C.py', 10, 7, 0) }

local function names(found)
  return vim.iter(found):map(function(each) return each.name end):join(' ')
end

for _, case in ipairs({
  -- Alike in what is missing, so by name.
  { 'missing', false, 'C.py b.py a.py' },
  { 'missing', true, 'a.py b.py C.py' },
  { 'percent', false, 'C.py b.py a.py' },
  { 'percent', true, 'a.py b.py C.py' },
  { 'name', false, 'C.py a.py b.py' },
  { 'name', true, 'b.py a.py C.py' },
}) do
  local found = names(rows.sorted(files, { by = case[1], reversed = case[2] }))
  assert(found == case[3], vim.inspect(case) .. found)
end
assert(names(files) == 'b.py a.py C.py', 'the list that was given is as it was')

assert(names(rows.filtered(files, '')) == 'b.py a.py C.py')
assert(names(rows.filtered(files, 'c.p')) == 'C.py')
assert(names(rows.filtered(files, 'C')) == 'C.py', 'capitals count')
assert(names(rows.filtered(files, '.')) == 'b.py a.py C.py', 'a dot is a dot')
assert(names(rows.filtered(files, '%a')) == '')

for _, case in ipairs({
  { 0, 'Fail' },
  { 49.9, 'Fail' },
  { 50, 'Between' },
  { 79.9, 'Between' },
  { 80, 'Pass' },
  { 100, 'Pass' },
}) do
  assert(rows.grade(case[1], 50, 80) == case[2], vim.inspect(case))
end
