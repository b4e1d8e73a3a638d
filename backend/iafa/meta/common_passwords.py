"""Passwords that are guessed first, at least eight characters long, and the endings that people add to words.

A small list on purpose: the login throttle bounds the guesses, this only takes away the first ones.
"""

_WHOLE = """
01234567 012345678 0123456789 0987654321 10101010 10203040 11223344 1122334455 112233445566 12121212
123123123 123321123 12341234 12344321 123454321 123456123 12345678 123456789 1234567890 12345678910
1234qwer 123abc123 123qwe123 123qweasd 12qwaszx 13131313 147258369 147852369 159753456 1a2b3c4d
1q2w3e4r 1q2w3e4r5t 1qaz2wsx 321321321 456789123 654321654 741852963 789456123 87654321 987654321
9876543210 a12345678 a123456789 a1b2c3d4 a1b2c3d4e5 aa123456 abc12345 abc123456 abcd1234 abcdef123
abcdefg1 abcdefgh admin123 admin1234 administrator administrator1 alexander america1 analytics
analytics1 andrew12 android1 angel123 angels12 anthony1 apple123 arsenal1 asdasdasd asdf1234
asdfasdf asdfghjkl asdfqwer autumn12 bailey12 barcelona baseball basketball batman123 beautiful
benjamin blessed1 blink182 buddy123 butterfly cadillac caroline changeme changeme1 changeme123
charlie1 charlie123 cheese12 chelsea1 chocolate christian cisco123 cocacola computer cookie12
cookies1 corvette cowboys1 daniel12 danielle dashboard dashboard1 database1 december default1
default123 diamond1 dragon12 dragon123 eagles12 einstein elephant elizabeth eminem50 facebook1
facebook123 family12 february ferrari1 fishing1 football forever1 foreverlove fortnite freedom1
friends1 george12 ginger12 godisgood golf1234 google12 greenday guest123 hacker12 happy123 harley12
heaven12 helpdesk hockey12 hunter12 hunting1 ilovegod iloveyou iloveyou1 iloveyou2 instagram
internet iphone12 january1 jasmine1 jennifer jessica1 jesus123 jesuschrist jonathan jordan23
joshua12 justinbieber katherine killer12 lakers24 letmein! letmein1 letmein123 linkedin linkedin1
liverpool login123 london12 love1234 lovelove lovers12 maggie12 manager1 manchester marketing
master12 master123 matrix12 matthew1 maverick mercedes metallica michael1 michelle microsoft
midnight minecraft monkey12 monkey123 mustang1 mylove12 mypassword mysql123 naruto123 network1
newpassword newyork1 nicholas ninja123 nintendo nopassword november october1 office365 oldpassword
oracle12 p@ssw0rd p@ssword pa55word packers1 pass1234 passpass passw0rd password password!
password.1 password1! password12 password@1 patricia pepper12 pepsi123 phoenix1 pirate12 playstation
pokemon1 porsche1 postgres postgres1 praise12 princess q1w2e3r4 q1w2e3r4t5 qazwsx123 qazwsxedc
qwe123456 qweasdzxc qweqweqwe qwerty!1 qwerty12 qwerty123 qwerty1234 qwertyui qwertyuiop rangers1
redsox12 richard1 robert12 root1234 rootroot running1 samantha1 samsung1 scooter1 secret12 secret123
security security1 september server12 shadow12 shadow123 slipknot smile123 snoopy12 soccer12
spiderman spring12 startrek starwars steelers stephanie strawberry summer12 sunshine superman
support1 support123 temp1234 temporary tennis12 test1234 testing1 testing123 testtest thepassword
thomas12 tigger12 toor1234 topsecret trinity1 trustno1 twitter1 user1234 username veronica victoria
welcome1 welcome123 welcome2 whatever whatsapp william1 windows1 windows10 winter12 xbox3600
yamaha12 yankees1 yourpassword youtube1 zaq12wsx zaq1zaq1 zxcvbnm, zxcvbnm1 zxcvbnm123 zxczxczxc
"""
_STEMS = """
admin angel baseball batman buddy charlie cookie daniel dragon football freedom george ginger hello hunter iloveyou
internet jessica jordan killer letmein login london love maggie master matthew michael monkey mustang pass passw0rd
password pepper princess qwerty robert secret shadow soccer spring starwars summer sunshine superman test thomas tigger
user welcome whatever william winter autumn
"""
_ENDINGS = """
1 12 123 1234 12345 123456 ! 1! 123! @123 #1 01 007 11 22 69 99 00 2000 2010 2015 2016 2017 2018 2019 2020 2021
2022 2023 2024 2025 2026 2027 2024! 2025! 2026! 2027!
"""

COMMON_PASSWORDS = frozenset(_WHOLE.split()) | {stem + ending for stem in _STEMS.split() for ending in _ENDINGS.split()}
