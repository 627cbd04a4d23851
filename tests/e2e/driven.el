;;; driven.el --- what drives Emacs in the tests, with whichever client  -*- lexical-binding: t; -*-

;; Needs `covls-shown', which the client's own file has.

;;; Code:

(defconst covls-patience 90 "Seconds to wait for what has to come.")

(defvar covls-said nil "What the server said, the last first.")
(defvar covls-found nil "What goes into RESULT.")

(defun covls-wait (what come)
  "Wait until COME answers, and return that; WHAT it is, for the error if it never does."
  (let ((deadline (+ (float-time) covls-patience)) answer)
    (while (not (setq answer (funcall come)))
      (when (> (float-time) deadline)
        (error "Waited %s s for %s; said: %S" covls-patience what covls-said))
      (accept-process-output nil 0.05))
    answer))

(defun covls-show-until (what right)
  "Wait until the diagnostics that are shown are RIGHT, note them as WHAT."
  (covls-note what
              (vconcat (covls-wait what (lambda ()
                                          (let ((shown (covls-shown)))
                                            (and (funcall right shown) shown)))))))

(defun covls-note (what value)
  "Put VALUE into the result, as WHAT."
  (push (cons what value) covls-found))

(defun covls-first (shown)
  "The first line of the first of the diagnostics SHOWN."
  (and shown (aref (car shown) 0)))

(defun covls-line (text)
  "Go to the line with TEXT."
  (goto-char (point-min))
  (search-forward text)
  (beginning-of-line))

(defun covls-hear (what words)
  "Wait until the server says WORDS, note all of it as WHAT, and keep what it said after."
  (let ((heard (covls-wait words (lambda ()
                                   (cl-find-if (lambda (said) (string-match-p words said))
                                               covls-said)))))
    (covls-note what heard)
    (setq covls-said (cl-subseq covls-said 0 (cl-position heard covls-said :test #'eq)))))

(defun covls-run (drive)
  "Call DRIVE with the file that the command line names, and leave what was found in the other."
  (let ((file (pop command-line-args-left))
        (result (pop command-line-args-left)))
    (condition-case error
        (funcall drive file)
      (error (covls-note "error" (error-message-string error))))
    (let ((json-encoding-pretty-print t)
          (coding-system-for-write 'utf-8))
      (write-region (json-encode covls-found) nil result nil 'silent))))

;;; driven.el ends here
