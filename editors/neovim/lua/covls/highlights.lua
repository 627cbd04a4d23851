--- The highlight groups: links that a theme or a user may put others in the place of.
local M = {}

--- Each group, and what it links to: the first that the theme has. `Coverage…` are nvim-coverage's.
M.GROUPS = {
  { 'CovlsCovered', { 'CoverageCovered', 'DiagnosticOk' } },
  { 'CovlsMissing', { 'CoverageUncovered', 'DiagnosticError' } },
  { 'CovlsPartial', { 'CoveragePartial', 'DiagnosticWarn' } },
  { 'CovlsEdited', { 'Comment' } },
  { 'CovlsUnverifiedCovered', { 'CovlsCovered' } },
  { 'CovlsUnverifiedMissing', { 'CovlsMissing' } },
  { 'CovlsUnverifiedPartial', { 'CovlsPartial' } },
  { 'CovlsMissingLine', { 'DiffDelete' } },
  { 'CovlsPartialLine', { 'DiffChange' } },
  { 'CovlsSummaryNormal', { 'CoverageSummaryNormal', 'NormalFloat' } },
  { 'CovlsSummaryBorder', { 'CoverageSummaryBorder', 'FloatBorder' } },
  { 'CovlsSummaryCursorLine', { 'CoverageSummaryCursorLine', 'CursorLine' } },
  { 'CovlsSummaryHeader', { 'CoverageSummaryHeader', 'Title' } },
  { 'CovlsSummaryPass', { 'CoverageSummaryPass', 'CovlsCovered' } },
  { 'CovlsSummaryBetween', { 'CovlsPartial' } },
  { 'CovlsSummaryFail', { 'CoverageSummaryFail', 'CovlsMissing' } },
  { 'CovlsSummaryCurrent', { 'Bold' } },
  { 'CovlsSummaryNote', { 'Comment' } },
}

local function is_there(name)
  if vim.startswith(name, 'Covls') then return true end
  return not vim.tbl_isempty(vim.api.nvim_get_hl(0, { name = name }))
end

local function define()
  for _, group in ipairs(M.GROUPS) do
    local name, candidates = group[1], group[2]
    local target = vim.iter(candidates):find(is_there) or candidates[#candidates]
    vim.api.nvim_set_hl(0, name, { link = target, default = true })
  end
end

function M.set_up()
  define()
  vim.api.nvim_create_autocmd('ColorScheme', {
    group = vim.api.nvim_create_augroup('covls.highlights', {}),
    desc = "Link covls's highlight groups to those of the new theme",
    callback = define,
  })
end

return M
