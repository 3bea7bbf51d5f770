; The string and template literals of a migration: SQL stands in these. A literal with a substitution is captured too
; and left alone by the codemod, because its text is not all there.
(string) @sql
(template_string) @sql
