DROP TABLE share_recipients;
DROP TABLE shares;
