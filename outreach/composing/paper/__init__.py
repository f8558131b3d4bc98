"""Where does it stand? Letters, cards and vouchers, and the places on their paper."""
