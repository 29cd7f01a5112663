DROP INDEX idx_posts_image_url;
