--- The server as Neovim's own LSP client runs it: started, told its settings, asked, started anew.
local M = {}

local NAME = 'covls'

--- Milliseconds to wait until the server knows that a folder is trusted, after the user said so.
local TRUST_TAKES_MS = 10000

local started = false
local failed = 0

--- When a client was started, in ms, by its id.
local born = {} ---@type table<integer, number>

--- Clients that are stopped by the plugin, by id.
local stopping = {} ---@type table<integer, boolean>

--- The client that was asked last: for windows that no server knows.
local last ---@type integer?

local function now() return vim.uv.hrtime() / 1e6 end

--- The settings of a folder, as the server asks for them.
local function settings_for(uri)
  local folder = uri and vim.uri_to_fname(uri)
  local user = vim.tbl_get(vim.lsp.config[NAME] or {}, 'settings', 'covls') or {}
  local settings = vim.tbl_deep_extend('force', user, require('covls.config').get().settings)
  if settings.trusted == nil then
    -- Until the user was asked nothing runs.
    settings.trusted = require('covls.trust').of(folder) or false
  end
  return settings
end

local handlers = {
  ['workspace/configuration'] = function(_, params)
    local function answer(item)
      return item.section == 'covls' and settings_for(item.scopeUri) or vim.NIL
    end
    return vim.iter(params.items):map(answer):totable()
  end,
  ['covls/didChangeCoverage'] = function(_, params)
    require('covls.coverage').changed(params.uri)
  end,
  ['covls/status'] = function(_, params) require('covls.status').told(params) end,
  ['window/logMessage'] = function(_, params) require('covls.log').message(params) end,
}

--- Our handlers, with those that the user or Neovim has behind them where there are any.
local function chained()
  local theirs = (vim.lsp.config[NAME] or {}).handlers or {}
  local found = {}
  for method, handle in pairs(handlers) do
    local next_one = theirs[method] or (method == 'window/logMessage' and vim.lsp.handlers[method])
    found[method] = not next_one and handle
      or function(...)
        local answer = handle(...)
        next_one(...)
        return answer
      end
  end
  return found
end

--- Starts the clients of all buffers that want one. `enable` looks at every buffer again.
local function start_clients()
  if vim.v.vim_did_enter == 1 then
    vim.lsp.enable(NAME)
  else
    vim.api.nvim_create_autocmd('VimEnter', {
      once = true,
      callback = function() vim.lsp.enable(NAME) end,
    })
  end
end

local function on_exit(code, signal, id)
  local client = vim.lsp.get_client_by_id(id)
  local lived = now() - (born[id] or now())
  born[id] = nil
  -- Stopped on purpose: by this plugin, by `vim.lsp.enable(…, false)` or `client:stop()`, which
  -- Neovim notes there, or with Neovim itself.
  local wanted = stopping[id] or (client and client._is_stopping) or vim.v.exiting ~= vim.NIL
  stopping[id] = nil
  if wanted then return end
  local pause
  pause, failed = require('covls.restarts').pause_after(failed, lived)
  local how = signal ~= 0 and ('by signal %d'):format(signal) or ('with exit code %d'):format(code)
  vim.schedule(function()
    local said, level
    if pause then
      said = ('covls: the server ended %s. It is started again in %g s.'):format(how, pause / 1000)
      level = vim.log.levels.WARN
    else
      said = ('covls: the server ended %s, again and again, and is not started any more. '):format(
        how
      ) .. '`:Covls log` may say why, `:Covls restart` tries again.'
      level = vim.log.levels.ERROR
    end
    require('covls.log').add(said)
    require('covls.status').stopped(said)
    vim.notify(said, level)
    if not pause then
      vim.lsp.enable(NAME, false)
      return
    end
    vim.defer_fn(function()
      if vim.lsp.is_enabled(NAME) then start_clients() end
    end, pause)
  end)
end

---@param client vim.lsp.Client
local function on_attach(client, buffer)
  last = client.id
  require('covls.coverage').attached(client, buffer)
end

--- Signs and underlines of hints away where marks say the same.
local function quieten(client)
  local quiet = require('covls.config').get().diagnostics.quiet
  local loud = { severity = { min = vim.diagnostic.severity.WARN } }
  local usual = vim.diagnostic.config() or {}
  local config = {}
  for _, part in ipairs({ 'signs', 'underline' }) do
    local value = usual[part]
    if not quiet or value == false or type(value) == 'function' then
      config[part] = value
    else
      config[part] = vim.tbl_extend('force', type(value) == 'table' and value or {}, loud)
    end
  end
  vim.diagnostic.config(config, vim.lsp.diagnostic.get_namespace(client.id))
  if client.server_capabilities.diagnosticProvider then
    vim.diagnostic.config(config, vim.lsp.diagnostic.get_namespace(client.id, true))
  end
end

local function on_init(client)
  born[client.id] = now()
  quieten(client)
end

--- The user's own callbacks, and one more.
local function with(theirs, ours)
  local found = type(theirs) == 'function' and { theirs } or vim.deepcopy(theirs or {})
  found[#found + 1] = ours
  return found
end

--- The command that starts the server: the option's, or what `vim.lsp.config('covls', …)` has.
---@return string[]
function M.cmd()
  local option = require('covls.config').get().cmd
  local theirs = (vim.lsp.config[NAME] or {}).cmd
  if vim.deep_equal(option, { 'covls', 'serve' }) and type(theirs) == 'table' then return theirs end
  return option
end

--- Starts covls for the Python buffers there are and will be.
function M.start()
  if not started then
    started = true
    require('covls.highlights').set_up()
    require('covls.coverage').set_up()
    local theirs = vim.lsp.config[NAME] or {}
    vim.lsp.config(NAME, {
      handlers = chained(),
      on_init = with(theirs.on_init, on_init),
      on_attach = with(theirs.on_attach, on_attach),
      on_exit = with(theirs.on_exit, on_exit),
      capabilities = { experimental = { covls = { explains = true } } },
    })
  end
  local cmd = M.cmd()
  if vim.fn.executable(cmd[1]) == 0 then
    local said = 'covls: there is no program %s. Install covls, or name it in the option `cmd`; '
    vim.notify(said:format(cmd[1]) .. 'then `:Covls start`.', vim.log.levels.ERROR)
    return
  end
  vim.lsp.config(NAME, { cmd = cmd })
  start_clients()
end

--- Stops the server, and starts it again with the options of now.
function M.restart()
  failed = 0
  local clients = vim.lsp.get_clients({ name = NAME, _uninitialized = true })
  for _, client in ipairs(clients) do
    stopping[client.id] = true
    client:stop()
  end
  local function is_gone()
    local function gone(client) return vim.lsp.get_client_by_id(client.id) == nil end
    return vim.iter(clients):all(gone)
  end
  local ended = now() + 5000
  local function wait()
    if is_gone() then
      M.start()
    elseif now() > ended then
      for _, client in ipairs(clients) do
        client:stop(true)
      end
      ended = math.huge
      vim.defer_fn(wait, 50)
    else
      vim.defer_fn(wait, 50)
    end
  end
  wait()
end

--- Stops the server until `:Covls start`.
function M.stop()
  vim.lsp.enable(NAME, false)
  require('covls.coverage').forget_all()
  require('covls.status').stopped('covls was stopped')
end

--- The options are others: has the server ask for its settings, and draws anew.
function M.configured()
  if not started then return end
  M.tell_settings()
  for _, client in ipairs(M.clients()) do
    quieten(client)
  end
  require('covls.coverage').draw_all()
end

--- Says that there are other settings; the server asks for them then.
function M.tell_settings()
  for _, client in ipairs(M.clients()) do
    client:notify('workspace/didChangeConfiguration', { settings = vim.NIL })
  end
end

---@return vim.lsp.Client[]
function M.clients() return vim.lsp.get_clients({ name = NAME }) end

--- The client of a buffer; in a buffer that has none, the one that was used last, or any.
---@param buffer? integer the current one if left out
---@return vim.lsp.Client?
function M.client(buffer)
  buffer = buffer or vim.api.nvim_get_current_buf()
  local found = vim.lsp.get_clients({ name = NAME, bufnr = buffer })[1]
    or (last and vim.lsp.get_client_by_id(last))
    or M.clients()[1]
  last = found and found.id
  return found
end

--- The words of an error, without the protocol's own.
local function words_of(problem)
  local words = type(problem) == 'table' and problem.message or tostring(problem)
  return (words:gsub('^covls%.%w+: ', ''))
end

--- Asks the server; what comes back is handed on unless it is an error, which is said.
---@param method string
---@param params table
---@param go fun(result: any)
---@param buffer? integer the current one if left out
---@param failed_with? fun(words: string): boolean whether an error needs no more words
function M.ask(method, params, go, buffer, failed_with)
  local client = M.client(buffer)
  if not client then
    local said = 'covls is not running here. Open a Python file; `:checkhealth covls` says more.'
    vim.notify(said, vim.log.levels.WARN)
    return
  end
  client:request(method, params, function(problem, result)
    if not problem then
      go(result)
    elseif not (failed_with and failed_with(words_of(problem))) then
      vim.notify('covls: ' .. words_of(problem), vim.log.levels.WARN)
    end
  end, buffer)
end

--- Has the server do one of its commands.
---@param name string without `covls.`
---@param arguments any[]
---@param go? fun(result: any)
---@param failed_with? fun(words: string): boolean
function M.command(name, arguments, go, failed_with)
  local params = { command = 'covls.' .. name, arguments = arguments }
  M.ask('workspace/executeCommand', params, go or function() end, nil, failed_with)
end

--- Has the server run something of the project: where it is trusted, which the user may be asked.
---@param name string
---@param arguments any[]
function M.run(name, arguments)
  local client = M.client()
  if not client then
    M.command(name, arguments)
    return
  end
  require('covls.trust').ensure(client.root_dir, function(new)
    if not new then
      M.command(name, arguments)
      return
    end
    -- The server asks for its settings anew, and takes a moment to go by them.
    M.tell_settings()
    local latest = now() + TRUST_TAKES_MS
    local function try()
      M.command(name, arguments, nil, function(words)
        if not words:match('not trusted') or now() > latest then return false end
        vim.defer_fn(try, 100)
        return true
      end)
    end
    try()
  end)
end

return M
