"""Agents, their servers, and what moves them."""
