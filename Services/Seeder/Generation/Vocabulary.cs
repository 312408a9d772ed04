using System.Collections.Concurrent;
using Bogus;

namespace Platform.Seeder.Generation;

/// <summary>
/// Words that the documents' own random numbers choose from. Names and streets are Bogus's, drawn once per locale from a fixed
/// start, so that making a document costs no more than some indexing.
/// </summary>
internal sealed class Vocabulary
{
    private const int FixedStart = 8675309;
    private const int PoolSize = 400;
    private static readonly ConcurrentDictionary<string, Lazy<Vocabulary>> s_known = new();

    private Vocabulary(string locale)
    {
        var faker = new Faker(locale) { Random = new Randomizer(FixedStart) };
        FirstNames = Pool(() => faker.Name.FirstName());
        LastNames = Pool(() => faker.Name.LastName());
        Streets = Pool(() => faker.Address.StreetName());
    }

    public static IReadOnlyList<string> Qualities { get; } =
    [
        "Compact", "Classic", "Sturdy", "Light", "Everyday", "Premium", "Foldable", "Handmade", "Slim", "Robust", "Vintage", "Modern",
        "Ergonomic", "Portable", "Quiet", "Seamless", "Nordic", "Alpine", "Urban", "Rustic",
    ];

    public static IReadOnlyList<string> Colours { get; } =
        ["black", "white", "grey", "navy", "forest green", "sand", "terracotta", "mustard", "burgundy", "sky blue", "olive", "cream"];

    public static IReadOnlyList<string> Features { get; } =
    [
        "The seams are reinforced where it matters.", "Every part can be replaced.", "It packs away smaller than it looks.",
        "The surface shrugs off scratches.", "It is tested well beyond what the standard asks for.", "Assembly takes five minutes and no tools.",
        "The colour does not fade in the sun.", "It weighs noticeably less than its predecessor.", "The edges are rounded and pleasant to hold.",
        "It is made from at least seventy percent recycled material.", "It stays stable on uneven ground.", "The finish develops a patina of its own.",
        "It survives the dishwasher, if it has to.", "Details are picked out in a contrasting shade.",
    ];

    public static IReadOnlyList<string> Promises { get; } =
    [
        "Two years of warranty.", "Spare parts are kept for ten years.", "Delivered without plastic.", "Designed and repaired in our own workshop.",
        "A favourite of our staff.", "Comes with a linen bag.", "Returned within a hundred days if it does not fit.", "Care instructions are enclosed.",
        "Made in small batches.", "Sold singly.",
    ];

    /// <summary>What a category's name ends with when a tenant has so many that they begin again.</summary>
    public static IReadOnlyList<string> Lines { get; } = ["Essentials", "Pro", "Classics", "Studio", "Family", "Heritage", "Basics", "Outlet"];

    public static IReadOnlyList<string> PasswordFirst { get; } =
    [
        "amber", "brisk", "cobalt", "dusty", "eager", "frosty", "gentle", "hollow", "ivory", "jolly", "keen", "lunar", "mossy", "nimble", "olive", "proud",
    ];

    public static IReadOnlyList<string> PasswordSecond { get; } =
    [
        "anchor", "badger", "candle", "dragon", "ember", "falcon", "garnet", "harbour", "island", "jacket", "kettle", "lantern", "meadow", "otter", "pebble",
        "quarry",
    ];

    public IReadOnlyList<string> FirstNames { get; }

    public IReadOnlyList<string> LastNames { get; }

    public IReadOnlyList<string> Streets { get; }

    public static Vocabulary For(string locale) => s_known.GetOrAdd(locale, name => new Lazy<Vocabulary>(() => new Vocabulary(name))).Value;

    // In the order of drawing; a locale with fewer names than asked for gives what it has.
    private static List<string> Pool(Func<string> draw)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var pool = new List<string>(PoolSize);
        for (var i = 0; i < PoolSize * 10 && pool.Count < PoolSize; i++)
        {
            var word = draw();
            if (seen.Add(word))
            {
                pool.Add(word);
            }
        }

        return pool;
    }
}
