namespace Platform.Data.Documents;

/// <summary>
/// How many decimals the amounts of a currency have. An amount that is stored has no more; one that is calculated is rounded to them.
/// </summary>
/// <remarks>
/// The minor units of ISO 4217, list one (<see href="https://www.six-group.com/en/products-services/financial-information/data-standards.html"/>).
/// The table has the currencies that differ from the usual two.
/// </remarks>
public static class CurrencyUnits
{
    private const int Usual = 2;

    /// <summary>The currencies without two decimals, by the number that they have.</summary>
    internal static IReadOnlyList<(int Decimals, IReadOnlyList<string> Currencies)> Unusual { get; } =
    [
        (0, ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"]),
        (3, ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]),
        (4, ["CLF", "UYW"]),
    ];

    /// <summary>How many decimals a currency has.</summary>
    /// <param name="currency">The ISO 4217 code.</param>
    public static int DecimalsOf(string currency)
    {
        foreach (var (decimals, currencies) in Unusual)
        {
            if (currencies.Contains(currency))
            {
                return decimals;
            }
        }

        return Usual;
    }

    /// <summary>Whether a number is an amount of a currency: has no more decimals than the currency. Zeros at the end do not count.</summary>
    /// <param name="number">The number.</param>
    /// <param name="currency">The ISO 4217 code.</param>
    public static bool IsAmount(decimal number, string currency) => decimal.Round(number, DecimalsOf(currency)) == number;

    /// <summary>Rounds what was calculated, such as a tax, to the decimals of its currency; a half goes away from zero, as merchants round.</summary>
    /// <param name="number">The number.</param>
    /// <param name="currency">The ISO 4217 code.</param>
    public static decimal Round(decimal number, string currency) => decimal.Round(number, DecimalsOf(currency), MidpointRounding.AwayFromZero);
}
