;;; eglot.el --- covls in Emacs with eglot, without a screen  -*- lexical-binding: t; -*-

;; emacs --batch --load CONFIGURATION --load eglot.el FILE RESULT
;;
;; Opens FILE, whose folder is a project, as somebody would with CONFIGURATION, does one thing after the
;; other, and leaves what Emacs showed in RESULT, as JSON.

;;; Code:

(require 'cl-lib)
;; What the tests take for a tool that is not here.
(unless (require 'eglot nil t)
  (write-region "{\"lacks\": \"eglot\"}" nil (nth 1 command-line-args-left))
  (kill-emacs))
(require 'flymake)
(require 'json)

(load (expand-file-name "driven.el" (file-name-directory load-file-name)) nil t)

(setq eglot-connect-timeout covls-patience
      jsonrpc-default-request-timeout covls-patience)

(defun covls-shown ()
  "The lines of the diagnostics that Flymake shows: first, last, text and type."
  ;; What waits until nothing happens never comes here, so Flymake is asked.
  (flymake-start)
  (sort (mapcar (lambda (each)
                  (vector (line-number-at-pos (flymake-diagnostic-beg each))
                          (line-number-at-pos (flymake-diagnostic-end each))
                          (substring-no-properties (flymake-diagnostic-text each))
                          (symbol-name (flymake-diagnostic-type each))))
                (flymake-diagnostics))
        (lambda (one other) (< (aref one 0) (aref other 0)))))

(defun covls-act (kind)
  "Do the one code action of KIND at point, as `eglot-code-actions' would."
  (eglot-code-actions (point) (point) kind t))

(advice-add 'eglot--message :before
            (lambda (format &rest arguments)
              (push (substring-no-properties (apply #'format format arguments)) covls-said)))

(defun covls-drive (file)
  "Do everything with FILE."
  (find-file file)
  (switch-to-buffer (current-buffer))
  (call-interactively #'eglot)
  (let ((server (covls-wait "eglot" #'eglot-current-server)))
    (covls-note "client" (concat "eglot " (or (bound-and-true-p eglot-version) "")))
    (covls-show-until "diagnostics" #'identity)

    ;; Hover, through what eldoc asks.
    (covls-line "if member:")
    (back-to-indentation)
    (let (words)
      (eglot-hover-eldoc-function (lambda (info &rest _) (setq words info)))
      (covls-note "hover" (substring-no-properties (covls-wait "a hover" (lambda () words)))))

    ;; An edit, not saved, and back.
    (let ((first (covls-first (covls-shown))))
      (goto-char (point-min))
      (insert "# one\n# two\n")
      (eglot--signal-textDocument/didChange)
      (covls-show-until "moved" (lambda (shown) (and shown (= (covls-first shown) (+ first 2)))))
      (goto-char (point-min))
      (delete-region (point) (progn (forward-line 2) (point)))
      (eglot--signal-textDocument/didChange)
      (covls-show-until "back" (lambda (shown) (and shown (= (covls-first shown) first)))))
    (set-buffer-modified-p nil)

    ;; What is said in words.
    (covls-line "if member:")
    (covls-act "covls.explain")
    (covls-hear "explain" "partly covered")
    (eglot-execute-command server 'covls.showPriorities [])
    (covls-hear "priorities" "never")
    (covls-act "covls.openReport")
    (covls-hear "report" "file://")
    (covls-line "return int(text)")
    (covls-act "covls.goToTests")
    (covls-hear "tests" "test_number")

    ;; The tests of the other file run, and the marks of this one after.
    (let ((source (current-buffer)))
      (find-file (expand-file-name "test_shop.py" (file-name-directory file)))
      (covls-wait "eglot in the tests" #'eglot-current-server)
      (covls-act "covls.run.file")
      (covls-hear "begun" "running")
      (covls-hear "ended" "passed")
      (switch-to-buffer source))
    (covls-show-until "run" (lambda (shown)
                              (and shown (not (cl-find 17 shown :key (lambda (each) (aref each 0)))))))

    ;; An edit that the server asks for.
    (covls-line "return sum(")
    (covls-act "quickfix.covls.exclude")
    (covls-note "excluded" (buffer-substring-no-properties (point-min) (point-max)))
    (set-buffer-modified-p nil)
    (eglot-shutdown server)
    (covls-note "running" (if (jsonrpc-running-p server) t :json-false))))

(covls-run #'covls-drive)

;;; eglot.el ends here
