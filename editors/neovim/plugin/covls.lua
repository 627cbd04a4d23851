-- All that is done before a Python file is opened: a command, `<Plug>` maps, and the wait for one.
if vim.g.loaded_covls then return end
vim.g.loaded_covls = true
require('covls.entry').set_up()
