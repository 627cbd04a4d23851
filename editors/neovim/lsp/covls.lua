-- covls for Neovim's own LSP client (0.11 and later). The plugin takes it from here; without that,
-- copy this file into `lsp/` of your configuration, and say `vim.lsp.enable('covls')`.
return {
  cmd = { 'covls', 'serve' },
  filetypes = { 'python' },
  root_markers = {
    { '.coveragerc', '.coveragerc.toml', 'covls.toml' },
    { 'pyproject.toml', 'setup.cfg', 'tox.ini' },
    '.git',
  },
}
