--- The shapes of covls's own messages, for those who read the code and for lua-language-server.
--- Made by `make generate` from covls/server/messages.py.
---@meta

--- Figures of a file, a function or everything, as coverage.py counts them.
---@class covls.Summary
---@field percent number
---@field percentText string
---@field statements integer
---@field missing integer
---@field excluded integer
---@field branches integer
---@field partialBranches integer
---@field missingBranches integer

--- Which file.
---@class covls.FileCoverageParams
---@field textDocument lsp.TextDocumentIdentifier

--- A function or class, with the figures of its own lines.
---@class covls.FunctionCoverage
---@field name string
---@field kind string
---@field startLine integer
---@field endLine integer
---@field freshness string
---@field summary covls.Summary

--- A way on from a line that no test took; `target` is null for the end of a function.
---@class covls.BranchNotTaken
---@field line integer
---@field target? integer
---@field words string
---@field lost boolean

--- Lines that are not covered now, and were by an earlier run; `covered_at` is ISO 8601.
---@class covls.LostLines
---@field startLine integer
---@field endLine integer
---@field tests string[]
---@field coveredAt string
---@field lastRun boolean

--- What was changed since the base: lines, figures, and how many statements are in none.
---@class covls.PatchCoverage
---@field lines integer[][]
---@field summary covls.Summary
---@field stale integer

--- One file, on the lines of its current text.
---@class covls.FileCoverageResult
---@field uri string
---@field version? integer
---@field freshness string
---@field summary covls.Summary
---@field marks any[][]
---@field functions covls.FunctionCoverage[]
---@field branches covls.BranchNotTaken[]
---@field lost covls.LostLines[]
---@field patch? covls.PatchCoverage

--- Which folder; all of them where none is said.
---@class covls.ProjectCoverageParams
---@field folder? string
---@field workDoneToken? integer|string

--- One file of a project.
---@class covls.FileRow
---@field uri string
---@field folder string
---@field name string
---@field freshness string
---@field summary covls.Summary

--- Everything below the roots.
---@class covls.ProjectCoverageResult
---@field folders string[]
---@field summary covls.Summary
---@field files covls.FileRow[]
---@field problems string[]

--- Which folder, all of them where none is said; how many rows, and what is ranked.
---@class covls.PrioritiesParams
---@field folder? string
---@field limit? integer
---@field by? string
---@field patch? boolean
---@field workDoneToken? integer|string

--- What a score is made of; null is not known, or not to be had.
---@class covls.PriorityFactors
---@field statements integer
---@field branches integer
---@field inPatch integer
---@field elsewhere integer
---@field complexity? integer
---@field commits? integer
---@field weight number

--- What to do: in a sentence, in which test file, beside which test, and what to run then.
---@class covls.PriorityAction
---@field words string
---@field uri? string
---@field exists boolean
---@field test? string
---@field location? lsp.Location
---@field command string[]

--- Uncovered code that is worth a test; `lines` are those that are missing.
---@class covls.PriorityRow
---@field folder string
---@field uri string
---@field file string
---@field title string
---@field startLine integer
---@field endLine integer
---@field lines integer[][]
---@field score number
---@field factors covls.PriorityFactors
---@field reasons string[]
---@field advice? string
---@field stale boolean
---@field action covls.PriorityAction

--- What to test next, best first; `total` is how many rows there are in all.
---@class covls.PrioritiesResult
---@field folders string[]
---@field by string
---@field total integer
---@field rows covls.PriorityRow[]
---@field notes string[]

--- A place in a file.
---@class covls.TestsAtParams
---@field textDocument lsp.TextDocumentIdentifier
---@field range lsp.Range

--- A test, and where it is written, if it was found.
---@class covls.TestAt
---@field id string
---@field location? lsp.Location

--- Which file, and which test, if it is about one.
---@class covls.StatementsParams
---@field textDocument lsp.TextDocumentIdentifier
---@field test? string

--- A statement whose code is as it was measured, and the ways on from it that were not taken.
---@class covls.MeasuredStatement
---@field startLine integer
---@field endLine integer
---@field ran boolean
---@field branches integer
---@field missedBranches integer

--- Which folder; all of them where none is said.
---@class covls.ProjectTestsParams
---@field folder? string

--- The tests that reach a file, by their places in the list of all.
---@class covls.FileTests
---@field uri string
---@field tests integer[]

--- The recorded tests of a root, and which of them reach which files.
---@class covls.FolderTests
---@field folder string
---@field tests string[]
---@field files covls.FileTests[]

--- A file whose coverage, or whose place in the text, is another now.
---@class covls.DidChangeCoverageParams
---@field uri string
---@field version? integer

--- How far a run of covls's own is: tests that have ended, of how many, failed among them.
---@class covls.RunCounts
---@field done integer
---@field total integer
---@field failed integer

--- What the coverage of a root is worth.
---@class covls.StatusParams
---@field folder string
---@field state string
---@field percent? number
---@field percentText? string
---@field patchPercent? number
---@field patchPercentText? string
---@field basePercent? number
---@field basePercentText? string
---@field baseCommit? string
---@field stale boolean
---@field message string
---@field python? string
---@field tests? string
---@field run? covls.RunCounts

--- How a test ended; `details` are its traceback, or what else there is to read.
---@class covls.TestResult
---@field test string
---@field outcome string
---@field seconds number
---@field message string
---@field details string
---@field location? lsp.Location

--- What happened in a run of covls's own since it was last told of.
---@class covls.TestRunParams
---@field folder string
---@field run integer
---@field title string
---@field state string
---@field tests string[]
---@field started string[]
---@field finished covls.TestResult[]
---@field message string
