--- The options in force: what the user gave over the defaults, and what was wrong in that.
local M = {}

---@class covls.Config
---@field enable boolean
---@field cmd string[]
---@field settings table
---@field trusted boolean|string[]|'ask'
---@field marks covls.config.Marks
---@field diagnostics { quiet: boolean }
---@field lens { refresh: boolean }
---@field summary { sort: 'missing'|'percent'|'name', low: number, high: number }
---@field priorities { limit: integer }
---@field window { width: number, height: number, border: string }

---@class covls.config.Marks
---@field enable boolean
---@field signs boolean
---@field numbers boolean
---@field lines boolean
---@field covered boolean
---@field priority integer
---@field text table<'covered'|'missing'|'partial'|'edited'|'unverified', string>

local given ---@type table?
local current ---@type covls.Config?
local problems = {} ---@type string[]

--- The list itself, if it is one of strings.
local function is_list(value)
  if type(value) ~= 'table' or not vim.islist(value) then return false end
  return vim.iter(value):all(function(each) return type(each) == 'string' end)
end

--- What is wrong with an option's value, in words; nil if nothing is.
---@param option covls.Option
---@param value any
---@return string?
local function problem_of(option, value)
  local fits = vim.iter(option.types):any(function(wanted)
    if wanted == 'list' then return is_list(value) end
    return type(value) == wanted
  end)
  local shown = vim.inspect(value, { newline = ' ', indent = '' })
  if not fits then
    return ('%s: must be a %s, not %s'):format(
      option.name,
      table.concat(option.types, ' or a '),
      shown
    )
  end
  if type(value) == 'string' and option.choices and not vim.tbl_contains(option.choices, value) then
    return ('%s: must be one of %s, not %s'):format(
      option.name,
      table.concat(option.choices, ', '),
      shown
    )
  end
  local least, most = option.least or -math.huge, option.most or math.huge
  if type(value) == 'number' and (value < least or value > most) then
    local between = option.most and ('between %s and %s'):format(least, most)
      or ('%s or more'):format(least)
    return ('%s: must be %s, not %s'):format(option.name, between, shown)
  end
  if option.name == 'cmd' and #value == 0 then return 'cmd: must name a program' end
  if vim.startswith(option.name, 'marks.text.') then
    local width = vim.fn.strdisplaywidth(value)
    if width < 1 or width > 2 then
      return ('%s: must be one or two cells wide, not %s'):format(option.name, shown)
    end
  end
end

--- Puts a value at a dotted name.
local function put(into, name, value)
  local path = vim.split(name, '.', { plain = true })
  for index = 1, #path - 1 do
    into[path[index]] = into[path[index]] or {}
    into = into[path[index]]
  end
  into[path[#path]] = value
end

--- The dotted names that were given and that no option has.
local function unknown(values, prefix, options, found)
  for name, value in pairs(values) do
    local path = prefix .. tostring(name)
    if not options[path] then
      local above = vim.iter(vim.tbl_keys(options)):any(
        function(known) return vim.startswith(known, path .. '.') end
      )
      if above and type(value) == 'table' then
        unknown(value, path .. '.', options, found)
      else
        found[#found + 1] = above and ('%s: must be a table'):format(path)
          or ('%s: there is no such option'):format(path)
      end
    end
  end
  return found
end

--- The options that values lead to, and what is wrong in them: a wrong one has its default.
---@param values table
---@return covls.Config
---@return string[]
function M.resolve(values)
  local options, result, wrong = {}, {}, {}
  for _, option in ipairs(require('covls.schema')) do
    options[option.name] = option
    local path = vim.split(option.name, '.', { plain = true })
    local ok, value = pcall(vim.tbl_get, values, unpack(path))
    if not ok or value == nil then value = option.default end
    local problem = problem_of(option, value)
    wrong[#wrong + 1] = problem
    put(result, option.name, vim.deepcopy(problem and option.default or value))
  end
  local strange = unknown(values, '', options, {})
  table.sort(strange)
  return result, vim.list_extend(wrong, strange)
end

--- What the user gave to setup(), or has in `vim.g.covls`.
---@return covls.Config
function M.get()
  if current == nil then
    local values = given or vim.g.covls or {}
    if type(values) ~= 'table' then
      current, problems = M.resolve({})
      problems = { 'vim.g.covls: must be a table' }
    else
      current, problems = M.resolve(values)
    end
    if #problems > 0 then
      vim.notify('covls: ' .. table.concat(problems, '\ncovls: '), vim.log.levels.WARN)
    end
  end
  return current
end

--- What was wrong in the options.
---@return string[]
function M.problems()
  M.get()
  return problems
end

--- Takes other options; what is on screen follows.
---@param values table
function M.set(values)
  given, current = values, nil
  if package.loaded['covls.server'] then require('covls.server').configured() end
end

return M
