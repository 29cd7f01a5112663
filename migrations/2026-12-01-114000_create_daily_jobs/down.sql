DROP TABLE daily_jobs;
