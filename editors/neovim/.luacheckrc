-- https://luacheck.readthedocs.io/en/stable/config.html
std = 'luajit'
read_globals = { 'vim' }
-- Options are fields of these tables, which one writes to.
globals = { 'vim.g', 'vim.b', 'vim.bo', 'vim.wo', 'vim.o', 'vim.opt_local' }
max_line_length = 100
-- The tests stand in for the user.
files['tests'] = { globals = { 'vim.ui' } }
