"""What differs per desktop: folders, secrets, one instance, start at login, notifications. No Qt."""
