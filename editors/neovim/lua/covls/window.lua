--- A list in a floating window: rows that can be gone to, drawn anew as often as need be.
local M = {}

local namespace = vim.api.nvim_create_namespace('covls.window')

--- What a list shows. Highlights are `{ row, from, to, group }`, from 0, in bytes; -1 is the end.
---@class covls.Drawn
---@field lines string[]
---@field highlights { [1]: integer, [2]: integer, [3]: integer, [4]: string }[]
---@field items table<integer, any> what a row stands for, by rows from 1

---@class covls.Window
---@field buffer integer
---@field window integer
---@field from integer the window that it was opened from
---@field private drawn covls.Drawn
local Window = {}
Window.__index = Window

--- The item under the cursor.
function Window:item()
  return self.drawn.items[vim.api.nvim_win_get_cursor(self.window)[1]]
end

function Window:is_open() return vim.api.nvim_win_is_valid(self.window) end

function Window:close()
  if self:is_open() then vim.api.nvim_win_close(self.window, true) end
end

--- Shows something; the cursor goes to the row with an item that is wanted, or stays at its row.
---@param drawn covls.Drawn
---@param wanted? fun(item: any): boolean
function Window:draw(drawn, wanted)
  if not self:is_open() then return end
  self.drawn = drawn
  vim.bo[self.buffer].modifiable = true
  vim.api.nvim_buf_set_lines(self.buffer, 0, -1, false, drawn.lines)
  vim.bo[self.buffer].modifiable = false
  vim.api.nvim_buf_clear_namespace(self.buffer, namespace, 0, -1)
  for _, each in ipairs(drawn.highlights) do
    local last = each[3] == -1 and #drawn.lines[each[1] + 1] or each[3]
    vim.api.nvim_buf_set_extmark(self.buffer, namespace, each[1], each[2], {
      end_col = last,
      hl_group = each[4],
    })
  end
  local rows = vim.tbl_keys(drawn.items)
  table.sort(rows)
  local row = vim.iter(rows):find(function(each) return wanted and wanted(drawn.items[each]) end)
  local now = vim.api.nvim_win_get_cursor(self.window)[1]
  row = row or (drawn.items[now] and now) or rows[1] or 1
  vim.api.nvim_win_set_cursor(self.window, { row, 0 })
end

--- Closes the list, and opens a place in the window that it was opened from.
---@param uri string
---@param line integer from 0
function Window:go(uri, line)
  self:close()
  if vim.api.nvim_win_is_valid(self.from) then vim.api.nvim_set_current_win(self.from) end
  M.go(uri, line)
end

--- Opens a place in the current window.
---@param uri string
---@param line integer from 0
---@param column? integer in bytes
function M.go(uri, line, column)
  vim.cmd("normal! m'")
  local buffer = vim.uri_to_bufnr(uri)
  vim.bo[buffer].buflisted = true
  vim.api.nvim_win_set_buf(0, buffer)
  local last = vim.api.nvim_buf_line_count(buffer)
  vim.api.nvim_win_set_cursor(0, { math.min(line + 1, last), column or 0 })
  if not column then vim.cmd('normal! ^') end
  vim.cmd('normal! zvzz')
end

--- Opens a list.
---@param title string
---@param keys { key: string, about: string, act: fun(window: covls.Window) }[]
---@param wrap? boolean whether lines that are too long go on below
---@return covls.Window
function M.open(title, keys, wrap)
  local look = require('covls.config').get().window
  local from = vim.api.nvim_get_current_win()
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.bo[buffer].bufhidden = 'wipe'
  vim.bo[buffer].filetype = 'covls'
  local width = math.max(20, math.floor(vim.o.columns * look.width))
  local height = math.max(3, math.floor((vim.o.lines - vim.o.cmdheight) * look.height))
  local footer = vim
    .iter(keys)
    :map(function(each) return ('%s %s'):format(each.key, each.about) end)
    :totable()
  footer[#footer + 1] = 'q close'
  local bordered = look.border ~= '' and look.border ~= 'none'
  local window = vim.api.nvim_open_win(buffer, true, {
    relative = 'editor',
    width = width,
    height = height,
    row = math.floor((vim.o.lines - height) / 2) - 1,
    col = math.floor((vim.o.columns - width) / 2),
    style = 'minimal',
    border = look.border ~= '' and look.border or nil,
    title = bordered and (' %s '):format(title) or nil,
    footer = bordered and (' %s '):format(table.concat(footer, ' · ')) or nil,
  })
  vim.wo[window].cursorline = true
  vim.wo[window].wrap = wrap or false
  vim.wo[window].linebreak = true
  vim.wo[window].breakindent = true
  vim.wo[window].winhighlight = 'NormalFloat:CovlsSummaryNormal,FloatBorder:CovlsSummaryBorder,'
    .. 'CursorLine:CovlsSummaryCursorLine,FloatTitle:CovlsSummaryHeader'
  local self = setmetatable({
    buffer = buffer,
    window = window,
    from = from,
    drawn = { lines = {}, highlights = {}, items = {} },
  }, Window)
  for _, each in ipairs(keys) do
    vim.keymap.set('n', each.key, function() each.act(self) end, {
      buffer = buffer,
      nowait = true,
      desc = each.about,
    })
  end
  for _, key in ipairs({ 'q', '<Esc>' }) do
    vim.keymap.set('n', key, function() self:close() end, { buffer = buffer, nowait = true })
  end
  return self
end

return M
