using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Platform.Data.Catalogue;

namespace Platform.Migrator.Commands;

/// <summary>Options that several commands have.</summary>
internal static class CommandOptions
{
    public static Option<bool> AllowDrop { get; } = new("--allow-drop")
    {
        Description = "Drop and create again the indexes that differ from the catalogue.",
    };

    public static Option<bool> AllowDataLoss { get; } = new("--allow-data-loss")
    {
        Description = "Take migrations back also when that loses data: documents of collections that go, and values that the way up cannot give back.",
    };

    public static Option<bool> Wait { get; } = new("--wait")
    {
        Description = "Wait for the database, and for another migrator that is at work, for up to a day, whatever Migrator__DatabaseTimeout and "
            + "Migrator__LeaseTimeout say: for a job whose own deadline counts.",
    };

    public static Option<bool> DryRun { get; } = new("--dry-run")
    {
        Description = "Print the commands that would be sent to the server, and send only those that read. Takes no lease.",
    };

    /// <summary>The number of a migration, or of several.</summary>
    public static Option<int?> Number(string name, string description, int minimum) => new(name)
    {
        Description = description,
        CustomParser = result => ReadNumber(result, name, minimum),
    };

    /// <summary>Reads a number. (The parser's own sentence on a word that is no number names types of .NET.)</summary>
    public static int? ReadNumber(ArgumentResult result, string name, int minimum)
    {
        var word = result.Tokens[^1].Value;
        if (int.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= minimum)
        {
            return number;
        }

        result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} must be a whole number of at least {minimum}, not '{word}'."));
        return null;
    }

    /// <summary>Has the names of collections checked.</summary>
    public static Option<TValue> OfCollections<TValue>(this Option<TValue> option)
    {
        option.HelpName = "NAME";
        option.Validators.Add(result =>
        {
            var known = CollectionCatalogue.Domain.Select(collection => collection.Name).ToList();
            foreach (var name in result.Tokens.Select(token => token.Value).Except(known, StringComparer.Ordinal))
            {
                result.AddError($"There is no collection '{name}'; there are {string.Join(", ", known)}.");
            }
        });
        return option;
    }
}
