"""Names and words of addresses in each language of Europe that is written with other letters than A to Z alone.

From them `code_pages` learns which of these letters a language has, how often, and beside what. They name nobody.
"""

WORDS = {
    "German": (
        "Müller Schröder Jäger König Köhler Böhm Krüger Günther Jürgen Jörg Björn Sören Käthe Bärbel Gärtner Weiß "
        "Groß Straße Hauptstraße Schäfer Schütz Vögel Lößnitz Münster München Köln Düsseldorf Nürnberg Lübeck "
        "Göttingen Tübingen Österreich Zürich Bäcker Möller Hübner Kühn Rößler Preuß Löwe Brücke Mühle Bühl Höhe Grün "
        "Süd Übelacker Äcker"
    ),
    "French": (
        "René Renée André Andrée José Zoé Chloé Léa Léon Hélène Thérèse Geneviève Irène Mélanie Stéphanie Jérôme "
        "Gérard Frédéric Cédric Éric Élodie Émilie Étienne Eugène François Françoise Benoît Noël Joël Raphaël Michaël "
        "Gaëlle Anaïs Loïc Aïcha Hervé Désirée Lefèvre Lemaître Bézier Gagné Côté Léger Québec Montréal Orléans "
        "Genève Évry Besançon Alençon Angoulême Nîmes Château Hôpital Général Maréchal République Liberté Église Prés "
        "Forêt Chêne Crêt Île"
    ),
    "Spanish": (
        "José María Jesús Ángel Ángela Andrés Inés Martín Joaquín Sofía Lucía Rocío Raúl Iván Iñigo Begoña Peña Muñoz "
        "Núñez Ibáñez Yáñez Ordóñez Avendaño Zúñiga García Rodríguez Martínez Hernández González Pérez Sánchez "
        "Ramírez Gómez Fernández Díaz Vásquez Jiménez Álvarez Gutiérrez López Córdova León Cádiz Málaga Mérida Bogotá "
        "Medellín México Panamá Ramón Simón Tomás Nicolás Sebastián Adrián Germán Agustín Agüero Güell Constitución "
        "Asunción Concepción Óscar Úrsula"
    ),
    "Portuguese": (
        "João Conceição Assunção Gonçalves Araújo Antônio António Luís Inês Tomás Magalhães Guimarães Simões Brandão "
        "Leitão Falcão Paixão Romão Galvão Mônica Mónica Patrícia Sérgio Cláudio Cláudia Flávio Fábio Vinícius Júlia "
        "Lúcia Célia Cecília Débora Estêvão Câmara Ângela França Mendonça Graça Praça Açores São Paulo Brasília "
        "Goiânia Maranhão Ceará Paraná Amapá Florianópolis Niterói Avenida República Eça Évora Setúbal Guarujá "
        "Tatuapé Jundiaí Bebê"
    ),
    "Italian": (
        "Niccolò Nicolò Donà Cantù Forlì Mondovì Cefalù Patanè Calabrò Laganà Libertà Società Università Città Unità "
        "Marrà Salomè Noè Mosè Scordì Alì Verità Trinità Pietà Gesù Corfù Aiò Bonà Località Santità"
    ),
    "Swedish": (
        "Åsa Åke Ångström Björk Björn Göran Sjöberg Öberg Östberg Lindström Nyström Söderberg Nordström Håkansson "
        "Jönsson Hägg Växjö Malmö Göteborg Örebro Västerås Jönköping Linköping Umeå Luleå Skåne Gävle Sjögren Åberg "
        "Öst Väg Vägen Gården Kungsgården Mårten Märta Pär Ström Fält Hästhagen Hallén Norén Linné"
    ),
    "Finnish": (
        "Mäkinen Hämäläinen Järvinen Lehtimäki Mäkelä Väinö Päivi Jyväskylä Hyvinkää Seinäjoki Järvenpää Ylöjärvi "
        "Pääskynen Väänänen Töölö Sörnäinen Yrjö Mäki Mäntylä Nieminen Särkkä Ylönen Kärkkäinen Pöyry Hänninen Rönkkö"
    ),
    "Danish": (
        "Søren Jørgen Bjørn Øystein Håkon Åse Pål Bjørnstad Sørensen Jørgensen Sæther Næss Kjær Bækgaard Østergaard "
        "Ødegård Nørgaard Møller Høj Grønland København Århus Ålborg Ærø Tromsø Bodø Ålesund Gjøvik Hønefoss "
        "Vestergård Skjærgård Løvås Gården Bøe Lærke Æbeltoft Strømmen Kirkegård Åsgård Høyer Bråten Solbakken"
    ),
    "Icelandic": (
        "Guðrún Sigurður Jóhann Jóhanna Þór Þóra Þorsteinn Björk Guðmundur Ragnheiður Ásdís Íris Óskar Ólöf Þórunn "
        "Hafþór Reykjavík Kópavogur Hafnarfjörður Garðabær Akranes Ísafjörður Brúðkaup Jónsdóttir Sigurðsson "
        "Guðmundsdóttir Þórðarson Bragason Kristín Sólveig Bergþóra Ævar Örn Ýmir Unnur Gísli Grétar Ægisgata "
        "Bræðraborg Sigríður Friðrik"
    ),
    "Dutch": (
        "Zoë Noë Chloë Daniël Daniëlle Michaël Joëlle Noëlle Raphaël Israël Gabriël Loïs Thaïs Renée André Koç "
        "Beëlzebub Geërfd Ruïne Coöperatie Zeeuws België Citroën Financiën Heröpend Móric Jozuë"
    ),
    "Catalan": (
        "Núria Àngel Òscar Lluís Martí Ramón Mònica Sònia Jordà Vilà Puigdomènech Bofarull València Alacant Mataró "
        "Vallès Penedès Mallorquí Lleó Cristòfol Rodés Farràs Muntanyà Sebastià Cebrià Anaïs Raül Plaça França Gràcia "
        "Sarrià"
    ),
    "Czech": (
        "Dvořák Novák Jiří Tomáš Ondřej Černý Veselý Procházka Kučera Němec Pokorný Růžička Beneš Fiala Sedláček "
        "Zeman Kolář Čermák Řezníček Šimek Žák Zdeněk Matěj Vojtěch Kateřina Lucie Markéta Božena Růžena Věra Zdeňka "
        "Jiřina Bartoš Hájek Jelínek Král Kříž Kovář Horák Pospíšil Marešová Nováková Dvořáková Černá Plzeň Děčín "
        "Třebíč Ústí Olomouc Přerov Břeclav Náměstí Míru Dlouhá Zahradní Nádražní Školní Příkopě Žižkov Vršovice "
        "Havlíčkův Brod Zlín Jičín Kroměříž Loďka Chotěboř Štěpán Řehoř Květoslava Křižíkova Průběžná Vítězná Tůma "
        "Dům Hůrka Doležel Ťoupal Ďáblice Ševčík Říčany"
    ),
    "Slovak": (
        "Kováč Horváth Baláž Lukáč Šťastný Ľubomír Ľudmila Zuzana Mária Ján Ondrej Juraj Štefan Tomáš Matúš Lukáš "
        "Michaela Krajčír Žilina Košice Prešov Trenčín Nitra Námestie Slovenského Národného Povstania Hlavná Mäsiar "
        "Sládkovičovo Päť Stôl Kôň Dĺžka Hŕba Vŕba Ťahanovce Ďurica Ďurčo Čaňa Šaľa Kráľ Kráľová Mäkký Môťová Poľný "
        "Bystričany Vážny Krížna Školská Dúbravka Ružinov Petržalka Záhorie Ľubica Kaľava Čierny Vojčice Tŕnistá"
    ),
    "Polish": (
        "Łukasz Michał Paweł Stanisław Władysław Wiesław Małgorzata Elżbieta Grażyna Bożena Łódź Kraków Poznań Gdańsk "
        "Wrocław Toruń Białystok Częstochowa Rzeszów Kowalczyk Wiśniewski Wiśniewska Wójcik Kamiński Kamińska "
        "Lewandowska Zieliński Szymański Woźniak Dąbrowski Dąbrowska Kozłowski Jabłoński Mazur Krawczyk Piotr Król "
        "Wróbel Jaśkowiak Łączna Śląska Świętokrzyska Żeromskiego Źródlana Mickiewicza Kościuszki Piłsudskiego "
        "Grunwaldzka Jagiełły Świerczewskiego Pączek Mężyk Zając Gołąb Bąk Stępień Cieślak Sękowski Głowacki "
        "Błaszczyk Wąsik Zięba Żak Ćwikła Ignacy Józef Jóźwiak Późna Chełm Kołobrzeg Słupsk Sławomir Przemysław "
        "Jarosław Zdzisław Rafał Bogusław Krzyżanowski Średnia Osiedle Łąkowa Różana"
    ),
    "Hungarian": (
        "István László János József Ferenc Sándor Zoltán Gábor Attila Tamás Péter Balázs Gergő Dezső Ernő Jenő Győző "
        "Erzsébet Katalin Zsófia Éva Ágnes Ildikó Ilona Mária Horváth Kovács Szabó Tóth Nagy Kiss Molnár Németh "
        "Farkas Takács Juhász Mészáros Simon Fekete Szűcs Kőműves Erdős Fűzfa Győr Pécs Székesfehérvár Nyíregyháza "
        "Kecskemét Szőlő Petőfi Sándor utca Rákóczi út Dózsa György Kossuth Árpád Szűts Hegedűs Csősz Bőhm Váci Erdő "
        "Mező Tűzoltó Fő Béke Szőke Pető Esztergom Űrhajós Körút Köztársaság Ákos Nándor Bálint Miklós Renáta Dóra "
        "Mátyás Márton Róbert Áron Gyöngyi Emőke Előd Béla Géza Kálmán Lívia Tünde Tímea Réka Júlia Noémi Viktória "
        "Orbán Lukács Gál Bíró Vörös Pintér Szőllősi Lőrincz Fülöp Váradi Hegedüs Rácz Török Győri Erdélyi Csőke "
        "Jenőné Lászlóné Szőke Jázmin Kristóf Bendegúz Benő Gergely Tér Gyöngyös Kőszeg Hajdúböszörmény Sződliget "
        "Özséb Ödön Lőrinc Őrsi Ürömi Zsófi Szőnyi Dűlő Gyűrű"
    ),
    "Croatian": (
        "Kovačević Horvat Babić Marić Jurić Novaković Knežević Vuković Marković Petrović Matić Tomić Božić Pavlović "
        "Šarić Šimić Đorđe Đurić Đurđica Anđelka Željko Željka Živko Žarko Saša Nataša Miloš Tomaž Aleš Boštjan Jožef "
        "Rožič Zupančič Kovačič Blažič Vidmar Kranjčar Čavić Čović Ćosić Ćiro Krešimir Križ Šibenik Poreč Čakovec "
        "Križevci Vinkovački Varaždin Zaprešić Ilica Žumberak Travanjska Grđan Hadžić Smrečnik Koželj Škofja Loka "
        "Žalec Brežice Trg Žrtava Šubićeva Dalmatinska Župan Mlađen Rađa Međimurje Đakovo Vođinci Anđić"
    ),
    "Romanian": (
        "Ştefan Ionuţ Cătălin Mădălina Răzvan Gheorghiţă Bogdăneşti Alexandrescu Niţă Păun Mureşan Rădulescu Dănilă "
        "Bălan Pătraşcu Brăila Constanţa Iaşi Galaţi Ploieşti Timişoara Bucureşti Târgu Mureş Câmpina Râmnicu Vâlcea "
        "Bistriţa Piteşti Botoşani Însurăţei Împăratul Şoseaua Strada Libertăţii Unirii Ţepeş Ţurcanu Sălăjan Neagoe "
        "Crăciun Săvulescu Lăcrămioara Bîrsan Hîncu Cîmpeanu Măgureanu Tănase Vasluieşti Focşani Călăraşi Buzău Bacău "
        "Zalău Făgăraş"
    ),
    "Lithuanian": (
        "Žukauskas Kazlauskienė Šimkutė Jonaitė Petrauskaitė Jankauskienė Stankevičius Vasiliauskaitė Butkevičiūtė "
        "Rūta Eglė Giedrė Austėja Gabrielė Ieva Agnė Živilė Šarūnas Žygimantas Mindaugas Kęstutis Vytautas Algirdas "
        "Andrius Žolynas Gražina Ąžuolų Liepų Pušų Beržų Klaipėda Panevėžys Šiauliai Kėdainiai Mažeikiai Telšiai "
        "Tauragė Gedimino Žalgirio Laisvės Vilniaus gatvė Ramunė Jūratė Dovilė Saulė Vėjūnė Jonavos Kauno Žirmūnų "
        "Šilutė Plungė Ukmergė Rėkyva Čepaitė Mačiulis Kavaliauskas Dzūkų Pilėnų Įsrutis Įgulos Žemaičių Aušros "
        "Sąjungos Tylioji Gėlių Ąsočių Grįžti Šeškinė Kęsgailų Vaižganto Čiurlionio"
    ),
    "Latvian": (
        "Bērziņš Kalniņš Ozoliņš Jānis Pēteris Andrejs Kārlis Mārtiņš Jēkabs Raimonds Ilze Līga Inguna Dzintra "
        "Kristīne Zane Bērziņa Kalniņa Ozoliņa Liepiņa Krūmiņš Krūmiņa Balodis Eglītis Eglīte Zariņš Pētersons Vītols "
        "Vītoliņš Kļaviņš Kļava Jansons Rīga Jūrmala Jelgava Liepāja Ventspils Rēzekne Valmiera Cēsis Ogre Brīvības "
        "iela Elizabetes Čaka Tērbatas Ģertrūdes Dzirnavu Ķeguma Ķemeri Ļaudona Ņikita Šķēle Šmits Žanis Āgenskalns "
        "Īve Ūdris Ēriks Ģirts Ķirsis Siguļi Viļāni Kuldīga Dārza Skolas Mūkusalas Grāmata Māris Ainārs Guntārs "
        "Andžejs Sandra Sigita Lāčplēša"
    ),
    "Estonian": (
        "Jüri Ülle Õnne Mäe Pärnu Põhja Lõuna Jõgi Kõrv Sõber Pärn Männik Mägi Sepp Mölder Kütt Põldma Rõõm Väli Vähi "
        "Tõnu Tõnis Jõhvi Põlva Võru Kärdla Järve Ülo Aadu Kadri Käär Nõmme Õismäe Rüütli Tähe Pööning Soosaar "
        "Kuusalu Hõbe Täht Jänes Šmidt Žanna Külli Õie Mürk Püss Šveits Šapošnikov Žukov Dušan Šults Garaaži Pušhkin "
        "Žirnova Tšaikovski Šahh Aleš"
    ),
    "Turkish": (
        "Ayşe Fatma Mehmet Hüseyin İbrahim Yılmaz Kaya Şahin Çelik Yıldız Yıldırım Öztürk Aydın Özdemir Arslan Doğan "
        "Kılıç Aslan Çetin Kara Koç Kurt Özkan Şimşek Polat Korkmaz Ünal Erdoğan Güneş Bulut Gökhan Göksel Çiğdem "
        "Gülşen Gülay Nurgül İsmail Işık Işıl Kadıköy Beşiktaş Şişli Üsküdar Beyoğlu Eskişehir Diyarbakır Balıkesir "
        "Muğla Tekirdağ Çanakkale İzmir Kırşehir Niğde Aksaray Caddesi Sokağı Mahallesi Çıkmazı Ağaoğlu Yiğit Tuğba "
        "Tuğçe Oğuz Çağla Çağrı Barış Savaş Altınışık Güler Ertuğrul Özgür Bülent Şule Şükrü Hakkı Sıla Kaan Ümit "
        "Uğur Hâkim Kâmil Bağcılar Ataşehir Yağmur"
    ),
    "Albanian": (
        "Shpëtim Gëzim Përparim Zëri Dashnor Blerinë Mëhill Çela Çaushi Agim Përmet Korçë Tiranë Durrës Shkodër Vlorë "
        "Fatmirë Bujanë Gjëlina Lirë Rrugë Kodrës Qytetët"
    ),
    "Russian": (
        "Иван Пётр Сергей Алексей Александр Андрей Дмитрий Михаил Николай Владимир Юрий Игорь Олег Павел Евгений Анна "
        "Мария Елена Ольга Наталья Татьяна Ирина Светлана Людмила Галина Екатерина Юлия Надежда Любовь Вера Иванов "
        "Иванова Смирнов Кузнецов Попов Васильев Петров Соколов Михайлов Новиков Фёдоров Морозов Волков Алексеев "
        "Лебедев Семёнов Егоров Павлов Козлов Степанов Николаев Орлов Андреев Макаров Никитин Захаров Зайцев Соловьёв "
        "Борисов Яковлев Григорьев Романов Воробьёв Москва Санкт Петербург Новосибирск Екатеринбург Казань Нижний "
        "Новгород Челябинск Самара Омск Ростов улица Ленина Советская Центральная Молодёжная Школьная Лесная Садовая "
        "проспект Мира переулок дом квартира корпус Щербаков Цветкова Чернышёв Шишкина Хабаровск Эльвира"
    ),
    "Ukrainian": (
        "Іван Петро Сергій Олексій Олександр Андрій Дмитро Михайло Микола Володимир Юрій Ігор Олег Павло Євген Ганна "
        "Марія Олена Ольга Наталія Тетяна Ірина Світлана Людмила Галина Катерина Юлія Надія Віра Оксана Шевченко "
        "Бондаренко Коваленко Ткаченко Кравченко Олійник Шевчук Коваль Поліщук Мельник Лисенко Марченко Савченко "
        "Руденко Петренко Клименко Гончаренко Павленко Їжакевич Єфименко Київ Харків Одеса Дніпро Львів Запоріжжя "
        "Вінниця Полтава Чернігів вулиця Хрещатик Шевченка Лесі Українки Грушевського площа Незалежності будинок"
    ),
    "Bulgarian": (
        "Иван Георги Димитър Николай Петър Христо Стоян Тодор Васил Йордан Мария Елена Иванка Йорданка Пенка Ружа "
        "Иванов Георгиев Димитров Петров Николаев Христов Стоянов Тодоров Ангелов Атанасов Стефанова Василева "
        "Желязкова Цветков София Пловдив Варна Бургас Русе Стара Загора Плевен улица булевард Витоша Цар Освободител "
        "Шипка Раковски Христо Ботев жилищен комплекс вход етаж апартамент"
    ),
    "Serbian": (
        "Јован Милош Никола Петар Марко Душан Драган Зоран Ђорђе Љубица Његош Џаферовић Јелена Милица Ана Јовановић "
        "Петровић Николић Марковић Ђорђевић Стојановић Илић Станковић Павловић Милошевић Тодоровић Живковић Љубичић "
        "Београд Нови Сад Ниш Крагујевац Суботица улица Кнеза Михаила Булевар краља Александра Шумадијска"
    ),
    "Greek": (
        "Γεώργιος Ιωάννης Κωνσταντίνος Δημήτριος Νικόλαος Παναγιώτης Βασίλειος Χρήστος Αθανάσιος Μιχαήλ Ευάγγελος "
        "Σπυρίδων Αντώνιος Αναστάσιος Θεόδωρος Ανδρέας Μαρία Ελένη Αικατερίνη Βασιλική Σοφία Αγγελική Γεωργία "
        "Ευαγγελία Ιωάννα Δήμητρα Ειρήνη Κωνσταντίνα Παναγιώτα Αναστασία Παπαδόπουλος Παππάς Οικονόμου Γεωργίου "
        "Παπαγεωργίου Βασιλείου Νικολάου Ιωάννου Δημητρίου Αθανασίου Κωνσταντίνου Μακρής Αντωνίου Παπαδάκης "
        "Αγγελόπουλος Αθήνα Θεσσαλονίκη Πάτρα Ηράκλειο Λάρισα Βόλος Ιωάννινα Χανιά Ρόδος οδός λεωφόρος πλατεία "
        "Ερμού Σταδίου Ακαδημίας Πανεπιστημίου Αγίου Δημητρίου Τσιμισκή Ζωή Ξένια Ψαρράς Ήρα Ύδρα Όλγα Ώρα"
    ),
    "Hebrew": (
        "דוד משה יוסף אברהם יעקב יצחק שמואל דניאל מיכאל אליהו חיים שלמה יהודה אהרון עמית איתי נועם יונתן שרה רחל לאה "
        "רבקה מרים אסתר חנה רות תמר נועה יעל מיכל שירה אורית גלית כהן לוי מזרחי פרץ ביטון דהן אברהם פרידמן מלכה אזולאי "
        "כץ יוסף עמר אוחיון חדד גבאי בן שטרן אדלר קליין תל אביב ירושלים חיפה ראשון לציון פתח תקווה אשדוד נתניה באר שבע "
        "רחוב שדרות הרצל ויצמן רוטשילד דיזנגוף בן יהודה אלנבי ז׳בוטינסקי סוקולוב צפון דרום"
    ),
    "Arabic": (
        "محمد أحمد علي حسن حسين محمود عبد الله عبد الرحمن إبراهيم خالد عمر يوسف مصطفى سعيد ناصر صالح سليمان فهد طارق "
        "وليد ياسر هشام كريم سامي رامي زياد جمال كمال عادل ماجد فاطمة مريم عائشة زينب خديجة سارة ليلى نور هدى أمل "
        "رانيا دينا سلمى منى نادية سميرة جميلة كريمة المصري السوري الحسن الأحمد العلي الشريف القاسم البغدادي الخطيب "
        "النجار الحداد الصباغ الزهراني الغامدي العتيبي القحطاني الدوسري الشمري آل القاهرة الرياض جدة دمشق بغداد بيروت "
        "عمان الإسكندرية شارع الملك فيصل طريق المدينة حي السلام بناية الطابق الأول الجمهورية التحرير"
    ),
    "Persian": (
        "محمد علی رضا حسین مهدی امیر حمید سعید مجید فرهاد بهرام کامران کوروش داریوش پیمان پژمان سیاوش آرش آرمان نیما "
        "زهرا فاطمه مریم سارا نرگس لیلا شیرین پریسا نازنین مهسا الهام گلناز ژاله چیستا احمدی محمدی حسینی رضایی کریمی "
        "موسوی جعفری صادقی رحیمی هاشمی نوری اکبری تهرانی اصفهانی شیرازی تهران مشهد اصفهان شیراز تبریز کرج خیابان "
        "ولیعصر کوچه پلاک طبقه میدان آزادی انقلاب گلستان"
    ),
}
