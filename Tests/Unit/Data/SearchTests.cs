using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using Platform.Data.Documents;
using Platform.Data.Queries;
using Platform.Data.Search;
using Xunit;

namespace Platform.Tests.Unit.Data;

/// <summary>The words that texts are cut into: of what is kept with products, and of what people type.</summary>
public sealed class SearchTests
{
    static SearchTests() => DocumentConventions.Register();

    private const string KnownTable = "e2d48a18c51e25f1d807f7e71fe8ec14c6cbf3fd345e03b443d6fbbb78c01676";

    // Composed, and decomposed. Where a letter has two marks, these are in the order that Unicode gives them.
    private static readonly (string Composed, string Decomposed)[] Letters =
    [
        ("é", "e\u0301"), ("É", "E\u0301"), ("ü", "u\u0308"), ("ç", "c\u0327"), ("ş", "s\u0327"), ("Ş", "S\u0327"), ("İ", "I\u0307"), ("ğ", "g\u0306"),
        ("å", "a\u030A"),
        ("ñ", "n\u0303"), ("ő", "o\u030B"), ("ż", "z\u0307"), ("ą", "a\u0328"), ("ệ", "e\u0323\u0302"), ("ự", "u\u031B\u0323"), ("ṩ", "s\u0323\u0307"),
        ("ǖ", "u\u0308\u0304"),
        ("ά", "α\u0301"), ("ᾇ", "α\u0314\u0342\u0345"), ("й", "и\u0306"), ("ё", "е\u0308"), ("ї", "і\u0308"), ("が", "か\u3099"), ("パ", "ハ\u309A"),
        ("한", "\u1112\u1161\u11AB"),
        ("가", "\u1100\u1161"), ("힣", "\u1112\u1175\u11C2"), ("क़", "क\u093C"), ("ো", "\u09C7\u09BE"), ("שּׁ", "ש\u05BC\u05C1"), ("آ", "ا\u0653"),
        ("Å", "A\u030A"), ("Ω", "Ω"),
    ];

    // Letters, digits and marks of all kinds, and what parts words.
    private static readonly string[] Others =
    [
        "a", "B", "z", "ß", "ẞ", "ı", "I", "ø", "Ł", "æ", "ﬁ", "ς", "Σ", "0", "9", "٣", "２", "½", "Ⅷ", "①", "㎏", "汉", "龍", "ア", "ｱ", "ﾞ", "字", "𝒜", "𠮷", "ก",
        "า", "क", "ि", "ب", "ش", "ﷺ",
        "\u00AD", "\u200D", "\u200B", "\uFE0F", "\u0301", "\u0323", " ", "-", "_", ".", "/", "'", "’", "$", "\\", "\"", "*", "😀", "👨‍👩‍👧", "\n", "\0",
        "\uD800", "\uDC00", "\uFFFF", "\U0010FFFF",
    ];

    [Theory]
    [InlineData("XK-2000 drill", "xk 2000 drill")]
    [InlineData("Café", "cafe")]
    [InlineData("Cafe\u0301", "cafe")]
    [InlineData("ışık IŞIK İşik", "isik isik isik")]
    [InlineData("Straße STRASSE STRAẞE", "strasse strasse strasse")]
    [InlineData("Łódź, Ærø & Þingvellir", "lodz aero thingvellir")]
    [InlineData("ΟΔΟΣ οδος ὀδός", "οδοσ οδοσ οδοσ")]
    [InlineData("Ёлка ёлка", "елка елка")]
    [InlineData("ﬁne ２００ ½ m² №5", "fine 200 1 2 m2 no5")]
    [InlineData("٢٠٠٠ २०००", "2000 2000")]
    [InlineData("co\u00ADoperate x\u200Bz", "cooperate x z")]
    [InlineData("折りたたみ椅子", "折 り た た み 椅 子")]
    [InlineData("ｶﾞﾗｽ ガラス", "カ ラ ス カ ラ ス")]
    [InlineData("한글", "\u1112\u1161\u11AB\u1100\u1173\u11AF")]
    [InlineData("किताब", "किताब")]
    [InlineData("מִילָה مُعَلِّم", "מילה معلم")]
    [InlineData("Chef's O’Neill don't", "chef s o neill don t")]
    [InlineData("$where: {a.b: 1} -- \"x\"", "where a b 1 x")]
    [InlineData("a\uD800b", "a b")]
    [InlineData("😀 --- \0", "")]
    [InlineData("", "")]
    public void A_text_is_cut_into_words_that_people_take_for_equal(string text, string words) => Assert.Equal(words, string.Join(' ', SearchText.Words(text)));

    // The words of all products of all databases were made so: a change here needs a migration that makes them anew.
    [Fact]
    public void Every_character_folds_to_what_is_folded_and_the_table_is_the_one_that_databases_were_filled_with()
    {
        var all = new StringBuilder();
        for (var code = 0; code <= 0x10FFFF; code++)
        {
            if (!Rune.IsValid(code))
            {
                continue;
            }

            var text = Fold(new Rune(code).ToString());
            Assert.True(Fold(text) == text, code.ToString("X", CultureInfo.InvariantCulture));
            all.Append(text).Append('\n');
        }

        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all.ToString())));
        Assert.True(
            hash == KnownTable,
            $"Characters fold otherwise now, with the hash {hash}: databases need a migration that makes the words of products anew; note the hash here.");

        static string Fold(string text)
        {
            var folded = new StringBuilder();
            foreach (var rune in text.EnumerateRunes())
            {
                foreach (var part in TextFolding.Fold(in rune))
                {
                    folded.Append(part.ToString());
                }
            }

            return folded.ToString();
        }
    }

    [Fact]
    public void Composed_and_decomposed_texts_in_either_case_have_the_same_words()
    {
        var random = new Random(20260101);
        var several = 0;
        for (var i = 0; i < 20_000; i++)
        {
            StringBuilder composed = new(), decomposed = new();
            for (var length = random.Next(1, 25); length > 0; length--)
            {
                var (one, other) = random.Next(3) == 0 ? Letters[random.Next(Letters.Length)] : (Others[random.Next(Others.Length)], "");
                composed.Append(one);
                decomposed.Append(other.Length == 0 ? one : other);
            }

            var words = SearchText.Words(composed.ToString()).ToList();
            Assert.Equal(words, SearchText.Words(decomposed.ToString()));
            Assert.Equal(words, SearchText.Words(Swapped(decomposed.ToString())));
            several += words.Count > 1 ? 1 : 0;
        }

        Assert.True(several > 10_000, $"only {several} texts had several words");

        // Marks of different kinds in the other order look the same.
        static string Swapped(string text) => Regex.Replace(text, "([\u0323\u0327\u0328])([\u0301-\u0307])", "$2$1");
    }

    [Fact]
    public void Words_are_letters_and_digits_of_a_bounded_length_and_their_own_words()
    {
        var random = new Random(7);
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(60)).Select(_ => random.Next(4) switch
            {
                0 => Letters[random.Next(Letters.Length)].Composed,
                1 => Others[random.Next(Others.Length)],
                2 => new string((char)random.Next(0x20, 0x7F), random.Next(1, 4)),
                _ => ((char)random.Next(0, 0x10000)).ToString(),
            }));
            var words = SearchText.Words(text).ToList();
            Assert.Equal(words, SearchText.Words(string.Join(random.Next(2) == 0 ? " " : "-", words)));
            Assert.All(words, word => Assert.InRange(word.EnumerateRunes().Count(), 1, SearchText.MaxLength));
            Assert.All(words.SelectMany(word => word.EnumerateRunes()), rune => Assert.True(
                Rune.IsLetter(rune)
                    || Rune.IsNumber(rune)
                    || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark));
            Assert.Equal(words.Distinct().Take(5), SearchText.Distinct([text, text], 5));
        }
    }

    [Fact]
    public void Whatever_part_of_a_products_text_is_typed_finds_it_and_what_it_lacks_does_not()
    {
        var random = new Random(11);
        string[] vocabulary =
        [
            "XK-2000", "drill", "Café", "Cafe\u0301", "ışık", "IŞIK", "Straße", "Łódź", "T-Shirt", "3½", "折りたたみ椅子", "한글", "ﬁne", "Größe",
            "L'eau", "😀", "AUR-000001",
        ];
        for (var i = 0; i < 5000; i++)
        {
            string Text() => string.Join(' ', Enumerable.Range(0, random.Next(1, 6)).Select(_ => vocabulary[random.Next(vocabulary.Length)]));
            var product = Product(Text(), Text(), Text());
            var typed = new[] { product.Name, product.Description, product.Sku }[random.Next(3)];
            // Up to anywhere, as somebody types it.
            typed = typed[..random.Next(1, typed.Length + 1)];
            if (SearchQuery.Parse(typed) is { Count: <= SearchQuery.MaxWords } query)
            {
                Assert.True(Matches(product, query), $"'{typed}' does not find {string.Join(' ', product.SearchWords!)}");
                Assert.False(Matches(product, query with { Words = [.. query.Words, "nowhere"] }));
                Assert.False(Matches(product, query with { Without = [product.SearchWords![0]] }));
            }
        }

        // What the filter asks of the server.
        static bool Matches(Product product, SearchQuery query)
        {
            var filter =
                ProductQueries.Matching(query.Words.Select(word => (BsonValue)word), query.Beginning, [.. query.Without])["searchWords"].AsBsonDocument;
            return filter["$all"].AsBsonArray.All(wanted => wanted is BsonRegularExpression pattern
                    ? product.SearchWords!.Any(word => Regex.IsMatch(word, pattern.Pattern, RegexOptions.CultureInvariant))
                    : product.SearchWords!.Contains(wanted.AsString))
                && !filter.GetValue("$nin", new BsonArray()).AsBsonArray.Any(word => product.SearchWords!.Contains(word.AsString));
        }
    }

    [Theory]
    [InlineData("oak lamp", "oak", "lamp", "")]
    [InlineData("lamp oak lamp", "oak", "lamp", "")]
    [InlineData("XK-2000", "xk", "2000", "")]
    [InlineData("\"garden hose\" -green -XK-1", "garden", "hose", "green xk 1")]
    [InlineData("lamp -", "", "lamp", "")]
    public void What_somebody_types_is_words_a_beginning_and_what_is_left_out(string text, string words, string beginning, string without)
    {
        var query = SearchQuery.Parse(text)!;
        Assert.Equal((words, beginning, without), (string.Join(' ', query.Words), query.Beginning, string.Join(' ', query.Without)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("----------------------------------------")]
    [InlineData("-tent")]
    [InlineData("😀 \"\" $")]
    public void Without_a_word_there_is_nothing_to_search(string text) => Assert.Null(SearchQuery.Parse(text));

    [Fact]
    public void A_product_is_written_with_its_words_those_of_the_name_first_and_read_without_regard_to_what_is_there()
    {
        var product = Product("Café XK-2000", "S-1", "For the café, and the X\u0301K.");
        var document = product.ToBsonDocument();
        Assert.Equal(new BsonArray { "cafe", "xk", "2000", "s", "1", "red", "for", "the", "and" }, document["searchWords"]);
        Assert.Equal(3, document["searchNameWords"].AsInt32);

        document["searchWords"] = new BsonArray { "stale" };
        document.Remove("searchNameWords");
        Assert.Equal(product.SearchWords, BsonSerializer.Deserialize<Product>(document).SearchWords);
        Assert.Equal("lamp", Assert.Single((product with { Name = "Lamp", Sku = "-", Tags = [], Description = "" }).SearchWords!));
    }

    [Fact]
    public void A_product_has_a_bounded_number_of_words_and_those_of_name_and_tags_are_never_left_out()
    {
        var product = Product(
            string.Join(' ', Enumerable.Range(0, 67).Select(i => $"n{i}")), "S", string.Join(' ', Enumerable.Range(0, 1200).Select(i => $"d{i}")),
            [.. Enumerable.Range(0, 20).Select(i => $"t{i} u{i} v{i} w{i} x{i}")]);
        Assert.Equal(ProductWords.Most, product.SearchWords!.Count);
        Assert.Equal(67, product.SearchNameWords);
        Assert.Contains("x19", product.SearchWords);
        Assert.Equal([new string('a', SearchText.MaxLength)], SearchText.Words(new string('a', 5000)));
    }

    private static Product Product(string name, string sku, string description, IReadOnlyList<string>? tags = null) => new()
    {
        Id = ObjectId.Empty, TenantId = ObjectId.Empty, CategoryId = ObjectId.Empty, Price = 1, Currency = "EUR", Status = ProductStatus.Active,
        CreatedAt = DateTime.UnixEpoch, UpdatedAt = DateTime.UnixEpoch, Name = name, Sku = sku, Description = description, Tags = tags ?? ["Red"],
    };
}
