"""What customers fill in."""

from django import forms

from shipping.models import Parcel


class ParcelForm(forms.ModelForm):
    class Meta:
        model = Parcel
        fields = ("customer", "country", "grams", "insured")

    def clean_country(self):
        country = self.cleaned_data["country"].upper()
        if len(country) != 2:
            raise forms.ValidationError("two letters")
        return country

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("insured") and cleaned.get("grams", 0) > 20_000:
            raise forms.ValidationError("too heavy to be insured")
        return cleaned
