-- Which lines are marked how, as tables of cases.
local marks = require('covls.marks')
local same = vim.deep_equal

for _, case in ipairs({
  { 'covered', 'fresh', 'covered' },
  { 'missing', 'fresh', 'missing' },
  { 'partial', 'unverified', 'unverified_partial' },
  { 'missing', 'edited', 'edited' },
  { 'covered', 'new', 'edited' },
  { 'excluded', 'fresh', nil },
  { 'excluded', 'edited', nil },
  { 'of a later server', 'fresh', nil },
}) do
  assert(marks.kind(case[1], case[2]) == case[3], vim.inspect(case))
end

local coverage = {
  marks = {
    { 1, 2, 'covered', 'fresh' },
    { 4, 4, 'missing', 'fresh' },
    { 5, 6, 'covered', 'unverified' },
    { 7, 7, 'excluded', 'fresh' },
  },
}
local un = 'unverified_covered'
local all = { [1] = 'covered', [2] = 'covered', [4] = 'missing', [5] = un, [6] = un }
assert(same(marks.by_line(coverage, true), all))
assert(same(marks.by_line(coverage, false), { [4] = 'missing' }))
assert(same(marks.by_line(nil, true), {}))

local shown = {
  { id = 1, line = 1, kind = 'covered' },
  { id = 2, line = 2, kind = 'missing' },
  { id = 3, line = 9, kind = 'missing' },
  -- Two lines were joined.
  { id = 4, line = 1, kind = 'covered' },
}
local gone, new = marks.changes(shown, { [1] = 'covered', [2] = 'covered', [5] = 'partial' })
assert(same(gone, { 2, 3, 4 }), vim.inspect(gone))
table.sort(new, function(one, other) return one.line < other.line end)
assert(same(new, { { line = 2, kind = 'covered' }, { line = 5, kind = 'partial' } }))

local placed = {}
for line, kind in pairs({
  [3] = 'missing',
  [4] = 'missing',
  [5] = 'partial',
  [6] = 'covered',
  [8] = 'unverified_missing',
  [9] = 'edited',
}) do
  placed[#placed + 1] = { id = line, line = line, kind = kind }
end
local gaps = marks.gaps(placed)
assert(same(gaps, {
  { first = 3, last = 4, kind = 'missing' },
  { first = 5, last = 5, kind = 'partial' },
  { first = 8, last = 8, kind = 'unverified_missing' },
}))

for _, case in ipairs({
  -- line, steps, first line of the block
  { 0, 1, 3 },
  { 3, 1, 5 },
  { 4, 1, 5 },
  { 8, 1, 3 },
  { 0, 3, 8 },
  { 0, 4, 3 },
  { 9, -1, 8 },
  { 8, -1, 5 },
  { 4, -1, 8 },
  { 3, -1, 8 },
  { 5, -1, 3 },
  { 9, -3, 3 },
  { 9, -4, 8 },
}) do
  local block = marks.neighbour(gaps, case[1], case[2])
  assert(block.first == case[3], vim.inspect(case) .. vim.inspect(block))
end
assert(marks.neighbour({}, 3, 1) == nil)
