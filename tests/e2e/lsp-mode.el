;;; lsp-mode.el --- covls in Emacs with lsp-mode, without a screen  -*- lexical-binding: t; -*-

;; emacs --batch --load CONFIGURATION --load lsp-mode.el FILE RESULT
;;
;; As eglot.el beside it.

;;; Code:

;; A package's functions are found where packages are activated, which a batch leaves out.
(package-initialize)
(require 'cl-lib)
;; What the tests take for a tool that is not here.
(unless (require 'lsp-mode nil t)
  (write-region "{\"lacks\": \"lsp-mode\"}" nil (nth 1 command-line-args-left))
  (kill-emacs))
(require 'json)

(load (expand-file-name "driven.el" (file-name-directory load-file-name)) nil t)

;; The project is the one in question, and nobody is asked.
(setq lsp-auto-guess-root t
      lsp-restart 'ignore
      lsp-response-timeout covls-patience
      lsp-keep-workspace-alive t)

(defun covls-shown ()
  "The lines of the diagnostics of the file: first, last, code and severity."
  (sort (mapcar (lambda (each)
                  (let ((range (lsp:diagnostic-range each)))
                    (vector (1+ (lsp:position-line (lsp:range-start range)))
                            (1+ (lsp:position-line (lsp:range-end range)))
                            (lsp:diagnostic-code? each)
                            (lsp:diagnostic-severity? each))))
                (gethash (lsp--fix-path-casing buffer-file-name) (lsp-diagnostics)))
        (lambda (one other) (< (aref one 0) (aref other 0)))))

(defun covls-act (title)
  "Do the code action at point whose title begins with TITLE."
  (lsp-execute-code-action
   (or (cl-find-if (lambda (action) (string-prefix-p title (lsp:code-action-title action)))
                   (append (lsp-code-actions-at-point) nil))
       (error "No action %s" title))))

(advice-add 'lsp--window-show-message :before
            (lambda (_workspace params)
              (push (lsp-get params :message) covls-said)))
(advice-add 'lsp-on-progress-modeline :before
            (lambda (_workspace params)
              (let ((value (lsp:progress-params-value params)))
                (push (or (lsp-get value :message) (lsp-get value :title) "") covls-said))))

(defun covls-drive (file)
  "Do everything with FILE."
  (find-file file)
  (switch-to-buffer (current-buffer))
  (lsp)
  (covls-wait "lsp-mode" (lambda () (cl-find 'initialized (lsp-workspaces)
                                             :key #'lsp--workspace-status)))
  (covls-show-until "diagnostics" #'identity)

  (covls-line "if member:")
  (back-to-indentation)
  (covls-note "hover" (substring-no-properties
                       (lsp--render-on-hover-content
                        (lsp:hover-contents
                         (lsp-request "textDocument/hover" (lsp--text-document-position-params)))
                        t)))

  (lsp-lens-mode 1)
  (lsp-lens-refresh t)
  (covls-note "lenses" (vconcat (covls-wait "lenses"
                                            (lambda ()
                                              (mapcar (lambda (overlay)
                                                        (substring-no-properties
                                                         (or (overlay-get overlay 'after-string)
                                                             (overlay-get overlay 'before-string))))
                                                      lsp-lens--overlays)))))

  (covls-act "Explain")
  (covls-hear "explain" "partly covered")

  (let ((source (current-buffer)))
    (find-file (expand-file-name "test_shop.py" (file-name-directory file)))
    (lsp)
    (covls-wait "lsp-mode in the tests" #'lsp-workspaces)
    (covls-act "Run the tests of this file")
    (covls-hear "progress" "collecting tests")
    (switch-to-buffer source))
  (covls-show-until "run" (lambda (shown)
                            (and shown (not (cl-find 17 shown :key (lambda (each) (aref each 0)))))))

  (covls-line "return sum(")
  (covls-act "Exclude")
  (covls-note "excluded" (buffer-substring-no-properties (point-min) (point-max)))
  (set-buffer-modified-p nil))

(covls-run #'covls-drive)

;;; lsp-mode.el ends here
