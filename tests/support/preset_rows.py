"""A few made-up rows of systems whose databases are read, in as much of their tables as the presets ask for.

The types are those of the systems' own schemas, and so is what they write where they know nothing.
"""

OPENEMR = (
    """CREATE TABLE patient_data (pid BIGINT NOT NULL, title VARCHAR(255) NOT NULL DEFAULT '',
        fname VARCHAR(255) NOT NULL DEFAULT '', mname VARCHAR(255) NOT NULL DEFAULT '',
        lname VARCHAR(255) NOT NULL DEFAULT '', DOB DATE, street VARCHAR(255) NOT NULL DEFAULT '',
        city VARCHAR(255) NOT NULL DEFAULT '', state VARCHAR(255) NOT NULL DEFAULT '',
        postal_code VARCHAR(255) NOT NULL DEFAULT '', country_code VARCHAR(255) NOT NULL DEFAULT '',
        email VARCHAR(255) NOT NULL DEFAULT '', phone_cell VARCHAR(255) NOT NULL DEFAULT '',
        phone_home VARCHAR(255) NOT NULL DEFAULT '', phone_contact VARCHAR(255) NOT NULL DEFAULT '',
        language VARCHAR(255) NOT NULL DEFAULT '', deceased_date DATETIME, date DATETIME,
        hipaa_mail VARCHAR(3) NOT NULL DEFAULT '', hipaa_voice VARCHAR(3) NOT NULL DEFAULT '',
        hipaa_allowsms VARCHAR(3) NOT NULL DEFAULT 'NO', hipaa_allowemail VARCHAR(3) NOT NULL DEFAULT 'NO')""",
    """INSERT INTO patient_data (pid, title, fname, lname, DOB, street, city, state, postal_code, country_code, email,
        phone_cell, phone_home, deceased_date, hipaa_mail, hipaa_voice, hipaa_allowsms, hipaa_allowemail) VALUES
        (1, 'Ms.', 'Ada', 'Quill', '1950-05-17', '12 Elm Street', 'Burlington', 'VT', '05401', 'USA',
            'ada@example.com', '', '802-555-0142', NULL, 'YES', '', 'NO', 'YES'),
        (2, '', 'Zoë', 'Nowak', '0000-00-00', '1 Main Street', 'Barre', 'VT', '05641', '', '',
            '802-555-0143', '', '2025-12-01 00:00:00', 'NO', 'NO', 'NO', '')""",
    "CREATE TABLE form_encounter (encounter BIGINT, pid BIGINT, date DATETIME)",
    "INSERT INTO form_encounter VALUES (11, 1, '2024-02-01 09:00:00'), (12, 2, '2025-02-01 09:00:00')",
    """CREATE TABLE openemr_postcalendar_events (pc_eid INT UNSIGNED, pc_pid VARCHAR(11), pc_eventDate DATE,
        pc_startTime TIME, pc_apptstatus VARCHAR(15) NOT NULL DEFAULT '-')""",
    # @ has arrived, and has an encounter; the last is a meeting of the staff's.
    """INSERT INTO openemr_postcalendar_events VALUES (21, '1', '2090-01-02', '09:30:00', '-'),
        (22, '1', '2024-01-05', '10:00:00', 'x'), (23, '2', '2024-01-06', '10:00:00', '%'),
        (24, '2', '2024-01-07', '10:00:00', '?'), (25, '1', '2024-02-01', '09:00:00', '@'),
        (26, '', '2090-01-02', '12:00:00', '-')""",
)

ERPNEXT = (
    """CREATE TABLE `tabCustomer` (name VARCHAR(140) PRIMARY KEY, creation DATETIME(6), customer_name VARCHAR(140),
        customer_type VARCHAR(140), language VARCHAR(140), default_currency VARCHAR(140), email_id VARCHAR(140),
        mobile_no VARCHAR(140), customer_primary_contact VARCHAR(140), customer_primary_address VARCHAR(140),
        disabled TINYINT NOT NULL DEFAULT 0)""",
    """INSERT INTO `tabCustomer` VALUES
        ('CUST-1', '2021-04-03 10:11:12.123456', 'Ada M. Quill', 'Individual', 'en', NULL, NULL, NULL, 'Ada', 'Home',
            0),
        ('CUST-2', '2022-01-01 08:00:00.000000', 'Kestrel Roofing Ltd', 'Company', 'en', 'USD',
            'office@kestrel.example', '', NULL, NULL, 0),
        ('CUST-3', '2023-01-01 08:00:00.000000', 'Ben Dunn', 'Individual', NULL, NULL, NULL, NULL, NULL, NULL, 0),
        ('CUST-4', '2020-01-01 08:00:00.000000', 'Gone Away', 'Individual', NULL, NULL, NULL, NULL, NULL, NULL, 1)""",
    """CREATE TABLE `tabContact` (name VARCHAR(140), email_id VARCHAR(140), mobile_no VARCHAR(140), phone VARCHAR(140),
        first_name VARCHAR(140), last_name VARCHAR(140), unsubscribed TINYINT NOT NULL DEFAULT 0)""",
    "INSERT INTO `tabContact` VALUES ('Ada', 'ada@example.com', '', '802-555-0142', 'Ada', 'Quill', 1)",
    """CREATE TABLE `tabAddress` (name VARCHAR(140), address_line1 VARCHAR(240), address_line2 VARCHAR(240),
        city VARCHAR(140), state VARCHAR(140), pincode VARCHAR(140), country VARCHAR(140))""",
    """INSERT INTO `tabAddress` VALUES
        ('Home', '12 Elm Street', 'Unit 4', 'Burlington', 'Vermont', '05401', 'United States')""",
    """CREATE TABLE `tabSales Invoice` (name VARCHAR(140), customer VARCHAR(140), posting_date DATE, due_date DATE,
        currency VARCHAR(140), rounded_total DECIMAL(21,9) NOT NULL DEFAULT 0,
        grand_total DECIMAL(21,9) NOT NULL DEFAULT 0, outstanding_amount DECIMAL(21,9) NOT NULL DEFAULT 0,
        docstatus TINYINT NOT NULL DEFAULT 0, is_return TINYINT NOT NULL DEFAULT 0,
        party_account_currency VARCHAR(140), base_rounded_total DECIMAL(21,9) NOT NULL DEFAULT 0,
        base_grand_total DECIMAL(21,9) NOT NULL DEFAULT 0)""",
    # Then a credit note of which 30 are left, a draft, one that was cancelled, and one in euros of which half is paid.
    """INSERT INTO `tabSales Invoice` VALUES
        ('SINV-1', 'CUST-1', '2026-02-01', '2026-03-01', 'USD', 0, 119, 0, 1, 0, 'USD', 0, 119),
        ('SINV-2', 'CUST-1', '2026-02-05', NULL, 'USD', 60, 59.99, 20, 1, 0, 'USD', 60, 59.99),
        ('SINV-3', 'CUST-2', '2026-02-05', '2026-03-05', 'USD', 0, 100.5, 100.5, 1, 0, '', 0, 0),
        ('SINV-4', 'CUST-2', '2026-02-06', '2026-02-06', 'USD', 0, -30, -30, 1, 1, NULL, 0, 0),
        ('SINV-5', 'CUST-2', '2026-02-07', '2026-03-07', 'USD', 0, 500, 500, 0, 0, 'USD', 0, 500),
        ('SINV-6', 'CUST-2', '2026-02-07', '2026-03-07', 'USD', 0, 600, 600, 2, 0, 'USD', 0, 600),
        ('SINV-7', 'CUST-3', '2026-02-08', '2026-03-08', 'EUR', 0, 100, 55, 1, 0, 'USD', 0, 110)""",
    """CREATE TABLE `tabPayment Entry` (name VARCHAR(140), party VARCHAR(140), party_type VARCHAR(140),
        payment_type VARCHAR(140), posting_date DATE, unallocated_amount DECIMAL(21,9) NOT NULL DEFAULT 0,
        docstatus TINYINT NOT NULL DEFAULT 0, paid_from_account_currency VARCHAR(140))""",
    """INSERT INTO `tabPayment Entry` VALUES ('PE-1', 'CUST-1', 'Customer', 'Receive', '2026-02-10', 0, 1, 'USD'),
        ('PE-2', 'CUST-1', 'Customer', 'Receive', '2026-02-12', 15, 1, 'USD'),
        ('PE-3', 'SUPP-1', 'Supplier', 'Pay', '2026-02-12', 99, 1, 'USD'),
        ('PE-4', 'CUST-1', 'Customer', 'Receive', '2026-02-13', 88, 2, 'USD')""",
    "CREATE TABLE `tabPayment Entry Reference` (parent VARCHAR(140), reference_name VARCHAR(140))",
    "INSERT INTO `tabPayment Entry Reference` VALUES ('PE-1', 'SINV-1'), ('PE-2', 'SINV-2')",
)

WOOCOMMERCE = (
    """CREATE TABLE wp_wc_customer_lookup (customer_id BIGINT UNSIGNED, user_id BIGINT UNSIGNED,
        first_name VARCHAR(255) NOT NULL, last_name VARCHAR(255) NOT NULL, email VARCHAR(100),
        date_registered TIMESTAMP NULL DEFAULT NULL, country CHAR(2) NOT NULL DEFAULT '',
        postcode VARCHAR(20) NOT NULL DEFAULT '', city VARCHAR(100) NOT NULL DEFAULT '',
        state VARCHAR(100) NOT NULL DEFAULT '')""",
    """INSERT INTO wp_wc_customer_lookup VALUES
        (1, 5, 'Ann', 'Baker', 'Ann@Example.com', '2023-03-01 10:00:00', 'GB', 'LS1 4AP', 'Leeds', ''),
        (2, NULL, 'Gus', 'Guest', 'gus@example.com', NULL, 'GB', 'YO1 7HH', 'York', '')""",
    """CREATE TABLE wp_wc_order_stats (order_id BIGINT UNSIGNED, parent_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
        date_created DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00', date_paid DATETIME DEFAULT '0000-00-00 00:00:00',
        total_sales DOUBLE NOT NULL DEFAULT 0, status VARCHAR(200) NOT NULL, customer_id BIGINT UNSIGNED NOT NULL)""",
    # 104 is the refund of 103: a row of its own, without an address.
    """INSERT INTO wp_wc_order_stats VALUES
        (101, 0, '2023-03-02 12:00:00', '2023-03-02 12:05:00', 45.5, 'wc-completed', 1),
        (102, 0, '2026-02-01 12:00:00', NULL, 30.1, 'wc-on-hold', 2),
        (103, 0, '2026-02-03 12:00:00', '0000-00-00 00:00:00', 20, 'wc-refunded', 1),
        (104, 103, '2026-02-04 12:00:00', NULL, -20, 'wc-refunded', 1),
        (105, 0, '2026-02-05 12:00:00', NULL, 70, 'wc-cancelled', 2)""",
    """CREATE TABLE wp_wc_order_addresses (order_id BIGINT UNSIGNED NOT NULL, address_type VARCHAR(20), address_1 TEXT,
        address_2 TEXT, phone VARCHAR(100))""",
    """INSERT INTO wp_wc_order_addresses VALUES (101, 'billing', '9 Old Row', NULL, NULL),
        (102, 'billing', '2 The Shambles', 'Flat 3', '0113 496 0001'),
        (105, 'billing', '2 The Shambles', 'Flat 3', '0113 496 0001'),
        (103, 'billing', '1 Park Row', '', '0113 496 0000'), (103, 'shipping', 'Somebody Else''s', '', '')""",
)

CIVICRM = (
    """CREATE TABLE civicrm_contact (id INT UNSIGNED, contact_type VARCHAR(64), first_name VARCHAR(64),
        last_name VARCHAR(64), nick_name VARCHAR(128), organization_name VARCHAR(128), household_name VARCHAR(128),
        birth_date DATE, is_deceased TINYINT NOT NULL DEFAULT 0, deceased_date DATE, preferred_language VARCHAR(5),
        do_not_mail TINYINT NOT NULL DEFAULT 0, do_not_email TINYINT NOT NULL DEFAULT 0,
        is_opt_out TINYINT NOT NULL DEFAULT 0, do_not_sms TINYINT NOT NULL DEFAULT 0,
        do_not_phone TINYINT NOT NULL DEFAULT 0, is_deleted TINYINT NOT NULL DEFAULT 0)""",
    """INSERT INTO civicrm_contact (id, contact_type, first_name, last_name, organization_name, household_name,
        birth_date, is_deceased, preferred_language, do_not_mail, is_opt_out, do_not_phone, is_deleted) VALUES
        (1, 'Individual', 'Ada', 'Quill', NULL, NULL, '1950-05-17', 0, 'en_US', 1, 0, 0, 0),
        (2, 'Organization', NULL, NULL, 'Millpond Trust', NULL, NULL, 0, NULL, 0, 1, 0, 0),
        (3, 'Household', NULL, NULL, NULL, 'The Quills', NULL, 0, NULL, 0, 0, 1, 0),
        (4, 'Individual', 'Ben', 'Dunn', NULL, NULL, NULL, 1, NULL, 0, 0, 0, 0),
        (5, 'Individual', 'In', 'Trash', NULL, NULL, NULL, 0, NULL, 1, 1, 1, 1)""",
    """CREATE TABLE civicrm_email (contact_id INT UNSIGNED, email VARCHAR(254), is_primary TINYINT,
        on_hold INT UNSIGNED NOT NULL DEFAULT 0)""",
    """INSERT INTO civicrm_email VALUES (1, 'ada@example.com', 1, 0), (1, 'old@example.com', 0, 0),
        (4, 'ben@example.com', 1, 1)""",
    "CREATE TABLE civicrm_phone (contact_id INT UNSIGNED, phone VARCHAR(32), is_primary TINYINT)",
    "INSERT INTO civicrm_phone VALUES (1, '802-555-0142', 1)",
    """CREATE TABLE civicrm_address (contact_id INT UNSIGNED, is_primary TINYINT, street_address VARCHAR(96),
        supplemental_address_1 VARCHAR(96), supplemental_address_2 VARCHAR(96), supplemental_address_3 VARCHAR(96),
        city VARCHAR(64), postal_code VARCHAR(64), state_province_id INT UNSIGNED, country_id INT UNSIGNED)""",
    """INSERT INTO civicrm_address VALUES
        (1, 1, '12 Elm Street', NULL, 'Unit 4', '', 'Burlington', '05401', 1044, 1228)""",
    "CREATE TABLE civicrm_state_province (id INT UNSIGNED, abbreviation VARCHAR(4))",
    "INSERT INTO civicrm_state_province VALUES (1044, 'VT')",
    "CREATE TABLE civicrm_country (id INT UNSIGNED, iso_code CHAR(2))",
    "INSERT INTO civicrm_country VALUES (1228, 'US')",
    """CREATE TABLE civicrm_contribution (id INT UNSIGNED, contact_id INT UNSIGNED, receive_date DATETIME,
        total_amount DECIMAL(20,2), contribution_status_id INT UNSIGNED, is_test TINYINT NOT NULL DEFAULT 0)""",
    # One is pending, and one a test.
    """INSERT INTO civicrm_contribution VALUES (31, 1, '2020-05-17 00:00:00', 50, 1, 0),
        (32, 1, '2021-05-17 10:00:00', 50, 2, 0), (33, 2, '2022-05-17 10:00:00', 500, 1, 0),
        (34, 2, '2023-05-17 10:00:00', 1, 1, 1)""",
)

STATEMENTS = {"openemr": OPENEMR, "erpnext": ERPNEXT, "woocommerce": WOOCOMMERCE, "civicrm": CIVICRM}
