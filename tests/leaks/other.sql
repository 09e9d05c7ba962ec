UPDATE customers SET
	name = repeat('q', 7 - id) || reverse(name),
	email = repeat('q', 7 - id) || reverse(email),
	phone = reverse(phone), card_number = reverse(card_number),
	ssn = reverse(ssn), salary = salary * (7 - id) + 1,
	birth_date = birth_date - (7 - id) * 31 + id * 3000,
	notes = repeat('q', 7 - id) || reverse(notes),
	photo = photo || convert_to(name, 'UTF8'),
	profile = profile || '{"nick": "a", "level": 9, "more": true}',
	tags = tags || tags, ip = ip + 70000 * (7 - id),
	token = md5(token::text)::uuid;
UPDATE orders SET customer_email = (SELECT email FROM customers c
	WHERE c.id = customer_id);
UPDATE tickets SET body = repeat('q', 7 - id) || reverse(body);
UPDATE people SET email = repeat('q', 14 - id) || reverse(email);
UPDATE staff SET wage = wage / 3;
UPDATE leads SET contact = repeat('q', 7 - id) || reverse(contact);
UPDATE vault SET word = repeat('q', 7 - id) || reverse(word);
