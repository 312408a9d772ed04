using System.Globalization;
using System.Numerics;
using MongoDB.Bson;

namespace Platform.Data.Rules;

/// <summary>
/// Arithmetic and comparison of BSON numbers as the server does them: by value whatever their types, in decimal, results
/// rounded half to even to the 34 digits of Decimal128.
/// </summary>
internal readonly record struct ExactNumber
{
    private const int Digits = 34;

    private readonly BigInteger _unscaled;
    private readonly int _exponent;

    private ExactNumber(BigInteger unscaled, int exponent) => (_unscaled, _exponent) = (unscaled, exponent);

    public static ExactNumber Zero => new(BigInteger.Zero, 0);

    /// <summary>Whether a value is a number that is neither infinite nor NaN.</summary>
    public static bool TryRead(BsonValue? value, out ExactNumber number)
    {
        switch (value)
        {
            case BsonInt32 or BsonInt64:
                number = new ExactNumber(value.ToInt64(), 0);
                return true;
            case BsonDouble when double.IsFinite(value.AsDouble):
                number = Parse(value.AsDouble.ToString("E16", CultureInfo.InvariantCulture));
                return true;
            case BsonDecimal128 when !Decimal128.IsNaN(value.AsDecimal128) && !Decimal128.IsInfinity(value.AsDecimal128):
                number = Parse(value.AsDecimal128.ToString());
                return true;
            default:
                number = Zero;
                return false;
        }
    }

    /// <summary>Compares two BSON numbers; NaN is less than all others.</summary>
    public static int Compare(BsonValue left, BsonValue right) => (TryRead(left, out var a), TryRead(right, out var b)) switch
    {
        (true, true) => a.CompareTo(b),
        (false, false) => Rank(left).CompareTo(Rank(right)),
        (false, true) => Rank(left) > 0 ? 1 : -1,
        (true, false) => Rank(right) > 0 ? -1 : 1,
    };

    public static ExactNumber operator +(ExactNumber left, ExactNumber right)
    {
        var exponent = Math.Min(left._exponent, right._exponent);
        return new ExactNumber(left.At(exponent) + right.At(exponent), exponent).Rounded();
    }

    public static ExactNumber operator *(ExactNumber left, ExactNumber right) =>
        new ExactNumber(left._unscaled * right._unscaled, left._exponent + right._exponent).Rounded();

    /// <summary>The nearest number with so many decimals; a half goes to the even one.</summary>
    public ExactNumber Round(int decimals) => -_exponent <= decimals ? this : Without(-_exponent - decimals);

    public BsonDecimal128 ToBson() =>
        new(Decimal128.Parse(string.Create(CultureInfo.InvariantCulture, $"{_unscaled}E{_exponent}")));

    private int CompareTo(ExactNumber other)
    {
        var exponent = Math.Min(_exponent, other._exponent);
        return At(exponent).CompareTo(other.At(exponent));
    }

    // Minus infinity and NaN rank below all numbers, infinity above.
    private static int Rank(BsonValue value) => value switch
    {
        BsonDouble number when double.IsNaN(number.Value) => -2,
        BsonDecimal128 number when Decimal128.IsNaN(number.Value) => -2,
        BsonDouble number => Math.Sign(number.Value),
        BsonDecimal128 number => Decimal128.IsNegativeInfinity(number.Value) ? -1 : 1,
        _ => throw new ArgumentException($"{value.BsonType} is not a number.", nameof(value)),
    };

    private static ExactNumber Parse(string text)
    {
        var mantissa = text.AsSpan();
        var exponent = 0;
        if (mantissa.IndexOfAny('E', 'e') is >= 0 and var e)
        {
            exponent = int.Parse(mantissa[(e + 1)..], CultureInfo.InvariantCulture);
            mantissa = mantissa[..e];
        }

        if (mantissa.IndexOf('.') is >= 0 and var point)
        {
            exponent -= mantissa.Length - point - 1;
            return new ExactNumber(BigInteger.Parse(string.Concat(mantissa[..point], mantissa[(point + 1)..]), CultureInfo.InvariantCulture), exponent);
        }

        return new ExactNumber(BigInteger.Parse(mantissa, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture), exponent);
    }

    private BigInteger At(int exponent) => _unscaled * BigInteger.Pow(10, _exponent - exponent);

    private ExactNumber Rounded()
    {
        var length = BigInteger.Abs(_unscaled).ToString(CultureInfo.InvariantCulture).Length;
        return length <= Digits ? this : Without(length - Digits);
    }

    private ExactNumber Without(int dropped)
    {
        var unit = BigInteger.Pow(10, dropped);
        var kept = BigInteger.DivRem(_unscaled, unit, out var rest);
        var half = BigInteger.Abs(rest) * 2 - unit;
        if (half > 0 || (half == 0 && !kept.IsEven))
        {
            kept += _unscaled.Sign;
        }

        return new ExactNumber(kept, _exponent + dropped);
    }
}
