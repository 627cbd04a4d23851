--- The coverage of the buffers there are: asked for when it is another, and drawn.
local M = {}

--- Milliseconds after which it is asked for again, where the text had changed meanwhile.
local AGAIN_MS = 30

--- Milliseconds after an edit in which the server may say by itself that something is another.
local QUIET_MS = 300

---@class covls.Held
---@field result? covls.FileCoverageResult
---@field asked boolean a question is under way
---@field again boolean and there is to be another one
---@field edits integer how many changes of its text were sent

local held = {} ---@type table<integer, covls.Held>

--- Whether marks are off for now, whatever the options say.
local hidden = false

---@param buffer integer
local function draw(buffer)
  local config = require('covls.config').get()
  local look = config.marks
  if hidden then look = vim.tbl_extend('force', look, { enable = false }) end
  local wanted = require('covls.marks').by_line(held[buffer] and held[buffer].result, look.covered)
  require('covls.draw').show(buffer, wanted, look)
end

--- Has windows, statuslines and lenses follow.
---@param buffer integer
local function tell(buffer)
  require('covls.status').changed(buffer)
  if require('covls.config').get().lens.refresh then
    vim.lsp.codelens.refresh({ bufnr = buffer })
  end
end

---@param buffer integer
function M.refresh(buffer)
  local entry = held[buffer]
  if not entry or not vim.api.nvim_buf_is_loaded(buffer) then return end
  if entry.asked then
    entry.again = true
    return
  end
  local client = vim.lsp.get_clients({ name = 'covls', bufnr = buffer })[1]
  if not client then return end
  entry.asked = true
  local params = { textDocument = vim.lsp.util.make_text_document_params(buffer) }
  local sent = client:request('covls/fileCoverage', params, function(problem, result)
    entry.asked = false
    -- The buffer may be gone, or another one by now.
    if held[buffer] ~= entry or not vim.api.nvim_buf_is_loaded(buffer) then return end
    local again = entry.again
    entry.again = false
    if problem then
      require('covls.log').add(('covls/fileCoverage: %s'):format(problem.message))
    elseif result and result.version ~= vim.lsp.util.buf_versions[buffer] then
      -- Of a text that is not on screen any more: its lines may be others. The marks there are
      -- move with the text until there is an answer for it.
      again = true
    else
      entry.result = result
      draw(buffer)
      tell(buffer)
    end
    if again then vim.defer_fn(function() M.refresh(buffer) end, AGAIN_MS) end
  end, buffer)
  if not sent then entry.asked = false end
end

--- The server says that a file's coverage is another.
---@param uri string
function M.changed(uri)
  local buffer = vim.fn.bufnr(vim.uri_to_fname(uri))
  if buffer ~= -1 then M.refresh(buffer) end
end

--- A change of a buffer's text was sent. The server says nothing where what it would answer is as
--- it last was, such as after an undo and a redo; the marks may have been moved wrongly by then.
---@param buffer integer
local function edited(buffer)
  local entry = held[buffer]
  if not entry then return end
  entry.edits = entry.edits + 1
  local edits = entry.edits
  vim.defer_fn(function()
    if held[buffer] ~= entry or entry.edits ~= edits then return end
    local result = entry.result
    if result and result.version ~= vim.lsp.util.buf_versions[buffer] then M.refresh(buffer) end
  end, QUIET_MS)
end

---@param _ vim.lsp.Client
---@param buffer integer
function M.attached(_, buffer)
  -- A question that a server did not live to answer is none any more; the marks may stay.
  local before = held[buffer]
  held[buffer] = { result = before and before.result, asked = false, again = false, edits = 0 }
  M.refresh(buffer)
end

---@param buffer integer
function M.forget(buffer)
  held[buffer] = nil
  require('covls.draw').clear(buffer)
end

function M.forget_all()
  for buffer in pairs(held) do
    M.forget(buffer)
  end
end

--- What is known of a buffer.
---@param buffer integer
---@return covls.FileCoverageResult?
function M.of(buffer)
  if buffer == 0 then buffer = vim.api.nvim_get_current_buf() end
  return held[buffer] and held[buffer].result
end

--- Draws all buffers anew: the look is another.
function M.draw_all()
  for buffer in pairs(held) do
    require('covls.draw').clear(buffer)
    if vim.api.nvim_buf_is_loaded(buffer) then draw(buffer) end
  end
end

--- Takes marks off the screen, or puts them back; other things of covls stay. Says which.
---@return boolean whether they are shown
function M.toggle_marks()
  hidden = not hidden
  M.draw_all()
  return not hidden
end

function M.set_up()
  local group = vim.api.nvim_create_augroup('covls.coverage', {})
  vim.api.nvim_create_autocmd({ 'BufUnload', 'BufWipeout' }, {
    group = group,
    desc = 'Forget the coverage of a buffer that is gone',
    callback = function(event)
      if held[event.buf] then M.forget(event.buf) end
    end,
  })
  vim.api.nvim_create_autocmd('LspNotify', {
    group = group,
    desc = 'Look whether the marks are right once the typing pauses',
    callback = function(event)
      if event.data.method ~= 'textDocument/didChange' then return end
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == 'covls' then
        edited(vim.uri_to_bufnr(event.data.params.textDocument.uri))
      end
    end,
  })
end

return M
