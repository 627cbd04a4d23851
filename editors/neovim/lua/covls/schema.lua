--- The options: names, types, defaults, and what each is for. Checks and the help are made of it.

---@class covls.Option
---@field name string dotted, as it is nested in the table given to setup()
---@field types string[] what |type()| may say of it, or `list` for a list of strings
---@field choices? any[] the values it may have, where those are few
---@field least? number of a number
---@field most? number
---@field default any
---@field about string

---@type covls.Option[]
return {
  {
    name = 'enable',
    types = { 'boolean' },
    default = true,
    about = 'Start covls with the first Python file. `:Covls start` does where this is false.',
  },
  {
    name = 'cmd',
    types = { 'list' },
    default = { 'covls', 'serve' },
    about = 'The command that starts the server.',
  },
  {
    name = 'settings',
    types = { 'table' },
    default = {},
    about = "covls's own settings, such as `{ run = { onSave = 'affected' } }`: those of "
      .. 'docs/settings.md, which go over what stands in the project.',
  },
  {
    name = 'trusted',
    types = { 'boolean', 'list', 'string' },
    choices = { 'ask' },
    default = 'ask',
    about = "Whether a project's own code may run: its tests, its Python, coverage.py's plugins. "
      .. 'True or false for all projects, a list of folders below which all are trusted, or '
      .. "'ask': you are asked when something is to run first, and the answer is kept "
      .. '(|covls-trust|).',
  },
  {
    name = 'marks.enable',
    types = { 'boolean' },
    default = true,
    about = 'Mark lines. `:Covls toggle marks` turns them on and off.',
  },
  {
    name = 'marks.signs',
    types = { 'boolean' },
    default = true,
    about = 'Mark them in the sign column.',
  },
  {
    name = 'marks.numbers',
    types = { 'boolean' },
    default = false,
    about = "Mark them by the colour of the line's number.",
  },
  {
    name = 'marks.lines',
    types = { 'boolean' },
    default = false,
    about = 'Mark them by the background of the line.',
  },
  {
    name = 'marks.covered',
    types = { 'boolean' },
    default = true,
    about = 'Mark covered lines, too.',
  },
  {
    name = 'marks.priority',
    types = { 'number' },
    least = 0,
    default = 5,
    about = 'Who has the sign column where it is narrow: the highest. gitsigns has 6, diagnostics '
      .. 'have 10.',
  },
  {
    name = 'marks.text.covered',
    types = { 'string' },
    default = '▎',
    about = 'The sign of a covered line. Signs are one or two cells wide.',
  },
  {
    name = 'marks.text.missing',
    types = { 'string' },
    default = '▌',
    about = 'The sign of a line that no test runs.',
  },
  {
    name = 'marks.text.partial',
    types = { 'string' },
    default = '┋',
    about = 'The sign of a line of which a branch is never taken.',
  },
  {
    name = 'marks.text.edited',
    types = { 'string' },
    default = '┊',
    about = 'The sign of a line that is not as it was measured.',
  },
  {
    name = 'marks.text.unverified',
    types = { 'string' },
    default = '░',
    about = 'The sign where it is not known which text was measured; the colour says the rest.',
  },
  {
    name = 'diagnostics.quiet',
    types = { 'boolean' },
    default = true,
    about = 'No signs and underlines for hints and information: the marks are there. Failed tests '
      .. 'keep theirs.',
  },
  {
    name = 'lens.refresh',
    types = { 'boolean' },
    default = false,
    about = 'Show code lenses (figures over functions), and keep them up to date.',
  },
  {
    name = 'summary.sort',
    types = { 'string' },
    choices = { 'missing', 'percent', 'name' },
    default = 'missing',
    about = 'How the files of the summary are sorted at first.',
  },
  {
    name = 'summary.low',
    types = { 'number' },
    least = 0,
    most = 100,
    default = 50,
    about = 'Files with less percent than this are in the colour for failure.',
  },
  {
    name = 'summary.high',
    types = { 'number' },
    least = 0,
    most = 100,
    default = 80,
    about = 'Files with this percent or more are in the colour for success.',
  },
  {
    name = 'priorities.limit',
    types = { 'number' },
    least = 1,
    default = 20,
    about = 'How many rows the list of what to test next has.',
  },
  {
    name = 'window.width',
    types = { 'number' },
    least = 0.1,
    most = 1,
    default = 0.8,
    about = 'The width of the summary and its like, as a part of the screen.',
  },
  {
    name = 'window.height',
    types = { 'number' },
    least = 0.1,
    most = 1,
    default = 0.7,
    about = 'The height, likewise.',
  },
  {
    name = 'window.border',
    types = { 'string' },
    default = 'rounded',
    about = "The border, as |nvim_open_win()| has it; '' is what 'winborder' says.",
  },
}
