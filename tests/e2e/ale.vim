" covls in Vim with ALE, without a screen.
"
"   vim -u CONFIGURATION -es -S ale.vim FILE, with $COVLS_RESULT
"
" Opens FILE, whose folder is a project, as somebody would with CONFIGURATION, does one thing after the
" other, and leaves what Vim showed in $COVLS_RESULT, as JSON.

" What the tests take for a tool that is not here.
if !exists(':ALEInfo')
  runtime! plugin/ale.vim
endif
if !exists(':ALEInfo')
  call writefile(['{"lacks": "ALE"}'], $COVLS_RESULT)
  qall!
endif

let s:patience = 90
let s:found = {}

" Waits until Come() answers with something, and returns that.
function! s:Wait(what, Come) abort
  let l:begin = reltime()
  while 1
    let l:answer = a:Come()
    if !empty(l:answer)
      return l:answer
    endif
    if reltimefloat(reltime(l:begin)) > s:patience
      throw printf('waited %d s for %s', s:patience, a:what)
    endif
    sleep 50m
  endwhile
endfunction

" The problems that ALE shows of the buffer: first and last line, code, type and text.
function! s:Shown() abort
  return map(copy(ale#engine#GetLoclist(bufnr(''))),
  \   {_, each -> [each.lnum, get(each, 'end_lnum', each.lnum), each.code, each.type, each.text]})
endfunction

function! s:ShowUntil(what, Right) abort
  let s:found[a:what] = s:Wait(a:what, {-> a:Right(s:Shown()) ? s:Shown() : []})
endfunction

" Chooses the action that begins so, as if out of ALE's menu.
function! s:Act(words) abort
  let s:offered = []
  function! s:Take(data, items) abort closure
    let s:offered = [a:data, map(copy(a:items), {_, item -> item[1]})]
  endfunction
  call ale#codefix#Execute(0, function('s:Take'))
  let [l:data, l:items] = s:Wait('actions', {-> s:offered})
  for l:item in l:items
    if l:item.title =~# '^' . a:words
      call ale#codefix#ApplyLSPCodeAction(l:data, l:item)
      return
    endif
  endfor
  throw printf('no action %s in %s', a:words, string(l:items))
endfunction

" Waits until the server has said something.
function! s:Hear(what, words) abort
  call s:Wait(a:words, {-> s:Heard() =~# a:words})
  let s:found[a:what] = g:heard
endfunction

" All that was shown below the text so far. A redirection fills its variable when it ends.
function! s:Heard() abort
  redir END
  redir =>> g:heard
  return g:heard
endfunction

function! s:Drive() abort
  call s:ShowUntil('diagnostics', {shown -> !empty(shown)})
  let l:first = s:found.diagnostics[0][0]

  call search('if member:')
  ALEHover
  let s:found.hover = s:Wait('a hover', {-> s:Preview()})

  call append(0, ['# one', '# two'])
  call ale#Queue(0)
  call s:ShowUntil('moved', {shown -> !empty(shown) && shown[0][0] == l:first + 2})
  1,2delete _
  call ale#Queue(0)
  call s:ShowUntil('back', {shown -> !empty(shown) && shown[0][0] == l:first})
  silent write

  let l:source = bufnr('')
  edit test_shop.py
  call search('def test_never')
  call s:Act('Run the tests of this file')
  call s:Hear('run', ' passed')
  call CovlsRun('covls.runAffected', [])
  call s:Hear('affected', 'No test is affected')
  execute 'buffer' l:source
  call s:ShowUntil('after', {shown -> !empty(shown) && empty(filter(shown, {_, each -> each[0] == 17}))})

  call search('return sum(')
  call s:Act('Exclude')
  let s:found.excluded = s:Wait('the comment', {-> filter(getline(1, '$'), {_, line -> line =~# 'pragma'})})
endfunction

" The words in the window that ALE shows what does not fit into one line in.
function! s:Preview() abort
  for l:window in range(1, winnr('$'))
    if getwinvar(l:window, '&previewwindow')
      return getbufline(winbufnr(l:window), 1, '$')
    endif
  endfor
  return []
endfunction

let g:heard = ''
redir =>> g:heard
try
  call s:Drive()
catch
  let s:found.error = v:exception . ' in ' . v:throwpoint
endtry
redir END
let s:found.heard = g:heard
call writefile([json_encode(s:found)], $COVLS_RESULT)
qall!
