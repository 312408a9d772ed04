using System.Security.Cryptography;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Generates a random value.</summary>
public sealed class GenerateParameterDefault : ParameterDefault
{
    private const string LowerLetters = "abcdefghjkmnpqrstuvwxyz";
    private const string UpperLetters = "ABCDEFGHJKMNPQRSTUVWXYZ";
    private const string Digits = "0123456789";
    private const string Specials = "-_.{}~()*+!";

    /// <summary>The length; at least 8 make sense for a password.</summary>
    public int MinLength { get; set; }

    /// <summary>Whether lower-case letters are used.</summary>
    public bool Lower { get; set; } = true;

    /// <summary>Whether upper-case letters are used.</summary>
    public bool Upper { get; set; } = true;

    /// <summary>Whether digits are used.</summary>
    public bool Numeric { get; set; } = true;

    /// <summary>Whether punctuation is used.</summary>
    public bool Special { get; set; } = true;

    /// <summary>At least so many lower-case letters.</summary>
    public int MinLower { get; set; }

    /// <summary>At least so many upper-case letters.</summary>
    public int MinUpper { get; set; }

    /// <summary>At least so many digits.</summary>
    public int MinNumeric { get; set; }

    /// <summary>At least so many punctuation marks.</summary>
    public int MinSpecial { get; set; }

    /// <inheritdoc />
    /// <exception cref="InvalidOperationException">Every class of characters is excluded, or a minimum asks for an excluded one.</exception>
    public override string GetDefaultValue()
    {
        (bool Used, string Characters, int Minimum)[] classes =
            [(Lower, LowerLetters, MinLower), (Upper, UpperLetters, MinUpper), (Numeric, Digits, MinNumeric), (Special, Specials, MinSpecial)];
        if (classes.Any(c => !c.Used && c.Minimum > 0))
        {
            throw new InvalidOperationException("A generated parameter asks for a minimum of a class of characters that it excludes.");
        }

        var all = string.Concat(classes.Where(c => c.Used).Select(c => c.Characters));
        if (all.Length == 0)
        {
            throw new InvalidOperationException("A generated parameter excludes every class of characters.");
        }

        var value = classes.SelectMany(c => RandomNumberGenerator.GetItems<char>(c.Characters, c.Minimum)).ToList();
        if (value.Count < MinLength)
        {
            value.AddRange(RandomNumberGenerator.GetItems<char>(all, MinLength - value.Count));
        }

        var characters = value.ToArray();
        RandomNumberGenerator.Shuffle(characters.AsSpan());
        return new string(characters);
    }
}
