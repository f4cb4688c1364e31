"""What runs inside the launched infrastructure: passes the start gate, brings the code, runs the flow, reports."""
