"""What Wheeler promises, measured: contract lines live, goals against baselines."""
