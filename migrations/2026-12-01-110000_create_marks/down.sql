DROP TABLE mark_epochs;
DROP TABLE marks;
